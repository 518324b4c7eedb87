/**
 * What was told before a node started and still holds: a level of the log that somebody has asked for, for a while.
 *
 * All else that nodes tell each other is in the store too, where a starting node finds it. Read once, up to where the
 * node's reader begins. Bounded: of the notices before that the newest {@link noticesMax}; a level that is further back
 * than so many is not heard of, and the node has the level of its settings.
 */
import type { EncodedRun, Store } from "../store/port.ts";
import { type HeardNotice, noticesStream, noticesWorkspace, readNotice } from "./notice.ts";

export const noticesMax = 5_000;
const pageEvents = 1_000;
const pageBytesMax = 1024 * 1024;

/** In the order in which they were told. Whether the time of one is over is its hearer's to judge. */
export async function readStanding(
  store: Pick<Store, "read">,
  { head, trimmed }: { readonly head: number; readonly trimmed: number },
): Promise<readonly HeardNotice[]> {
  const standing: HeardNotice[] = [];
  for (let cursor = Math.max(trimmed, head - noticesMax); cursor < head; ) {
    const run = await store.read(noticesWorkspace, noticesStream, cursor, pageEvents, pageBytesMax);
    const through = run.pieces.reduce((last, { span }) => last + span, run.offset - 1);
    if (through <= cursor) break;
    cursor = through;
    for (const { event, data } of eventsOf(run)) {
      const notice = readNotice(event, data);
      if (notice.kind === "logLevel") standing.push(notice);
    }
  }
  return standing;
}

function eventsOf({ pieces }: EncodedRun): readonly { readonly event: string; readonly data: unknown }[] {
  const text = new TextDecoder();
  return pieces.flatMap(({ bytes }) => JSON.parse(`[${text.decode(bytes)}]`) as { event: string; data: unknown }[]);
}
