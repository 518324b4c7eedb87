/**
 * Reads the nodes' stream of notices through the hub, as a client reads any other: from its head at the start, then
 * everything, once and in order. Of what was told before it hears first what still holds (`standingNotices.ts`).
 *
 * Life cycle: started (it stands at the head; the stream is made where there is none) → hears → lost, where the
 * stream's history was lost or replaced (ST-15), or removed before it was read (ST-11) → by itself at the beginning of all that is kept, since nobody knows
 * what was told meanwhile and obeying twice does no harm → stopped. The
 * bus brings a notice at once; without it the head check does, within a second (ST-14); an outage of the store delays
 * it to the store's return. Invariant: what is told after `start` has resolved is heard. It deliberately acts on nothing.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { Hub } from "../streams/hub.ts";
import type { Reader } from "../streams/reader.ts";
import { type HeardNotice, noticesStream, noticesWorkspace, readNotice } from "./notice.ts";

/** Between two attempts to stand somewhere again. */
const againMs = 1_000;

export interface NoticeReader {
  /** Rejects where the store does not answer. */
  start(): Promise<void>;
  stop(): void;
}

export interface NoticeReaderOptions {
  readonly hub: Pick<Hub, "attach" | "detach" | "storedPosition">;
  readonly clock: Clock;
  /** Makes the stream exist. */
  readonly open: () => Promise<unknown>;
  /** What of the stream up to there still holds, in its order. */
  readonly standing: (place: { readonly head: number; readonly trimmed: number }) => Promise<readonly HeardNotice[]>;
  /** The JSON text of a frame that the hub has encoded. */
  readonly textOf: (frame: Uint8Array) => string;
  readonly hear: (notice: HeardNotice) => void;
}

export function createNoticeReader({ hub, clock, open, standing, textOf, hear }: NoticeReaderOptions): NoticeReader {
  let timer: TimerHandle | undefined;
  let stopped = false;

  const reader: Reader = {
    cursor: 0,
    origin: undefined,
    behind: false,
    isPlain: false,
    hasRoom: () => true,
    write(frame) {
      for (const { event, data } of eventsOf(textOf(frame))) hear(readNotice(event, data));
    },
    // The hub goes on by itself (ST-7).
    pending: () => {},
    lost: () => void again(),
  };

  const stand = async (from: "head" | "start"): Promise<void> => {
    if ((await hub.storedPosition(noticesWorkspace, noticesStream)) === null) await open();
    const position = await hub.storedPosition(noticesWorkspace, noticesStream);
    if (position === null) throw new Error(`the stream ${noticesStream} was made and is not there`);
    const before = from === "head" ? await standing(position) : [];
    if (stopped) return;
    for (const notice of before) hear(notice);
    reader.cursor = from === "head" ? position.head : position.trimmed;
    hub.attach(noticesWorkspace, noticesStream, reader);
  };

  const again = async (): Promise<void> => {
    timer = undefined;
    if (stopped) return;
    try {
      await stand("start");
    } catch {
      timer = clock.after(againMs, () => void again());
    }
  };

  return {
    start: () => stand("head"),
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
      hub.detach(noticesWorkspace, noticesStream, reader);
    },
  };
}

interface FramedEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Our own frames, as `eventsFrame.ts` makes them. */
function eventsOf(text: string): readonly FramedEvent[] {
  const messages = JSON.parse(text) as readonly { readonly events: readonly FramedEvent[] }[];
  return messages.flatMap(({ events }) => events);
}
