/** What is in a store's folder, read by the production code after it recovered what it found there. */
import { platformClock } from "../../../packages/server/src/ports/platform.ts";
import type { Outcome, PublishOutcome, Store } from "../../../packages/server/src/store/port.ts";
import { openSqliteStore } from "../../../packages/server/src/store/sqlite/store.ts";
import type { Found } from "./history.ts";
import { app, caller, logStream, markStream, producer, workspace } from "./place.ts";

const pageEventsMax = 4_000;
const pageBytesMax = 1024 * 1024;

/** Opens the store, reads all of it, and closes it. Rejects where it does not open. */
export async function lookInto(folder: string): Promise<Found> {
  const store = await openSqliteStore({ folder, plugins: [app], clock: platformClock, onFailure: () => {} });
  try {
    const { outcomes } = await store.commit([
      { kind: "publish", caller, stream: logStream, producer, sequence: 0, events: [] },
    ]);
    return {
      epoch: (await store.position(workspace, logStream))?.epoch ?? null,
      numbers: await dataOf(store, logStream, (data: { number: number }) => data.number),
      record: told<PublishOutcome>(outcomes[0]).sequence,
      tokens: await dataOf(store, markStream, (data: { value: string }) => data.value),
    };
  } finally {
    await store.close();
  }
}

/** Of every event of a stream, in order. */
async function dataOf<Data, Of>(store: Store, stream: string, take: (data: Data) => Of): Promise<Of[]> {
  const all: Of[] = [];
  for (;;) {
    const { pieces } = await store.read(workspace, stream, all.length, pageEventsMax, pageBytesMax);
    if (pieces.length === 0) return all;
    for (const { bytes } of pieces) {
      const events = JSON.parse(`[${new TextDecoder().decode(bytes)}]`) as { data: Data }[];
      all.push(...events.map(({ data }) => take(data)));
    }
  }
}

function told<Value>(outcome: Outcome | undefined): Value {
  if (outcome?.ok !== true) throw new Error(`the store does not tell: ${JSON.stringify(outcome)}`);
  return outcome.value as Value;
}
