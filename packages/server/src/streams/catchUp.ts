/**
 * Feeds readers that are behind: from the tail in memory, else from the log, a little at a time.
 *
 * Life cycle of a reader here: it falls behind → it waits its turn → each turn writes about one frame's worth
 * → it is at the head and live again. One that has no room is let go; its socket's drain brings it back. The
 * work is round robin with a budget of {@link turnMsMax} a turn, then a rest of {@link restPerWork} times what
 * the turn took, since 100 readers that wake at once would else hold everybody up. What is read stays a moment
 * for others at the same place, and the next page is read while one is written. One whose next events retention has
 * removed is let go to ask anew (ST-11). Invariants: at most
 * {@link readsUnderWayMax} reads under way; of a reader only its cursor is kept.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import { limits } from "@holdfast/protocol";
import type { StoreWatch } from "../admission/storeHealth.ts";
import type { Log } from "../observe/log.ts";
import type { Store } from "../store/port.ts";
import type { Channel } from "./channel.ts";
import { type EncodeFrame, framesOf } from "./eventsFrame.ts";
import { createPages, type Pages } from "./pages.ts";
import type { Reader } from "./reader.ts";
import { createTroubles } from "./trouble.ts";

const turnMsMax = 1;
const restPerWork = 3;
const readsUnderWayMax = 16;
const readEventsMax = 4_000;
const readBytesMax = 512 * 1024;

export interface CatchUp {
  add(channel: Channel, reader: Reader): void;
  remove(reader: Reader): void;
  stop(): void;
}

export interface CatchUpOptions {
  readonly store: Pick<Store, "read" | "position">;
  readonly clock: Clock;
  readonly log: Log;
  readonly encode: EncodeFrame;
  readonly health: StoreWatch;
  /** So many events were written to a reader. */
  readonly delivered: (events: number) => void;
}

type Progress = "live" | "more" | "noRoom" | "read" | "lost";

export function createCatchUp({ store, clock, log, encode, health, delivered }: CatchUpOptions): CatchUp {
  /** Who waits for a turn, in order. */
  const waiting = new Map<Reader, Channel>();
  /** Who needs a read while as many as may be are under way: waits for the end of one, not for a turn. */
  const held = new Map<Reader, Channel>();
  /** Reads under way, by place, with those who wait for them. */
  const reads = new Map<string, Map<Reader, Channel>>();
  const pages = createPages(encode);
  /** Of those who read without roll-up. */
  const plainPages = createPages(encode);
  const pagesOf = (isPlain: boolean): Pages => (isPlain ? plainPages : pages);
  let timer: TimerHandle | undefined;
  /** Monotonic ms before which no turn begins. */
  let restUntil = 0;
  let stopped = false;
  // Past the cap and past its turn: the one retry of a stream always ends, as a success or a failure.
  const troubles = createTroubles<Channel, Reader>({
    clock,
    log,
    health,
    nameOf: ({ stream }) => stream,
    retry: (channel, reader) => {
      void read(channel, reader.cursor, new Map([[reader, channel]]), reader.isPlain);
      return true;
    },
  });

  health.countWaiting(() => troubles.waiting);

  const schedule = (): void => {
    if (timer !== undefined || stopped || waiting.size === 0) return;
    timer = clock.after(Math.max(0, Math.ceil(restUntil - clock.monotonic())), () => {
      timer = undefined;
      turn();
    });
  };

  const turn = (): void => {
    const began = clock.monotonic();
    let left = waiting.size;
    while (left > 0 && clock.monotonic() < began + turnMsMax) {
      const [next] = waiting;
      if (next === undefined) break;
      const [reader, channel] = next;
      waiting.delete(reader);
      left -= 1;
      const before = reader.cursor;
      const progress = feed(channel, reader, pagesOf(reader.isPlain), encode);
      delivered(reader.cursor - before);
      if (progress === "read") startRead(channel, reader);
      if (progress === "lost") lose(channel, reader);
      if (progress !== "more") continue;
      waiting.set(reader, channel);
      left += 1;
      readAhead(channel, reader.cursor, reader.isPlain);
    }
    const now = clock.monotonic();
    restUntil = now + restPerWork * (now - began);
    admitHeld();
    schedule();
    forgetPages();
  };

  /** As many as may read now; who finds its page there after all leaves its place to the next. */
  const admitHeld = (): void => {
    let free = readsUnderWayMax - reads.size;
    for (const [reader, channel] of held) {
      if (free <= 0) return;
      free -= 1;
      held.delete(reader);
      waiting.set(reader, channel);
    }
  };

  /** ST-11: past retention. What it had cannot be gone on from, and it is told so as whoever asks with such a cursor. */
  const lose = (channel: Channel, reader: Reader): void => {
    channel.readers.delete(reader);
    reader.lost();
  };

  const forgetPages = (): void => {
    if (waiting.size > 0 || reads.size > 0) return;
    pages.prune();
    plainPages.prune();
  };

  const placeOf = ({ workspace, stream }: Channel, cursor: number, isPlain: boolean): string =>
    `${workspace}\n${stream}\n${cursor}\n${isPlain}`;

  /** The page after the one that is being written; nobody waits for it yet. */
  const readAhead = (channel: Channel, cursor: number, isPlain: boolean): void => {
    const known = pagesOf(isPlain);
    const next = known.end(channel, cursor);
    if (next === undefined || next >= channel.head || reads.size >= readsUnderWayMax) return;
    const place = placeOf(channel, next, isPlain);
    if (reads.has(place) || known.end(channel, next) !== undefined) return;
    if (channel.tail.after(next, 0) !== undefined) return;
    const waiters = new Map<Reader, Channel>();
    void begin(channel, next, waiters, place, isPlain);
  };

  const startRead = (channel: Channel, reader: Reader): void => {
    if (troubles.holds(channel, reader)) return;
    const place = placeOf(channel, reader.cursor, reader.isPlain);
    const shared = reads.get(place);
    if (shared !== undefined) {
      shared.set(reader, channel);
      return;
    }
    if (reads.size >= readsUnderWayMax) {
      held.set(reader, channel);
      return;
    }
    const waiters = new Map([[reader, channel]]);
    void begin(channel, reader.cursor, waiters, place, reader.isPlain);
  };

  const begin = async (
    channel: Channel,
    offset: number,
    waiters: Map<Reader, Channel>,
    place: string,
    isPlain: boolean,
  ): Promise<void> => {
    reads.set(place, waiters);
    await read(channel, offset, waiters, isPlain);
    reads.delete(place);
    admitHeld();
    schedule();
    // A page read ahead for readers that are gone by now.
    forgetPages();
  };

  const read = async (
    channel: Channel,
    offset: number,
    waiters: Map<Reader, Channel>,
    isPlain: boolean,
  ): Promise<void> => {
    try {
      const { workspace, stream } = channel;
      const place = [workspace, stream, offset, readEventsMax, readBytesMax] as const;
      const { pieces, beginsRemoved } = await (isPlain ? store.read(...place, false) : store.read(...place));
      const isTrimmed = beginsRemoved && offset < ((await store.position(workspace, stream))?.trimmed ?? 0);
      // What this node delivered was committed: a store that shows less is not telling the truth now.
      if (pieces.length === 0 && offset < channel.head) throw new Error(`nothing after ${offset} of ${channel.head}`);
      for (const reader of troubles.ended(channel)) if (channel.readers.has(reader)) waiting.set(reader, channel);
      channel.head = Math.max(
        channel.head,
        pieces.reduce((last, { span }) => last + span, offset),
      );
      // What was read may be another node's commit, of which live readers have not heard.
      for (const reader of channel.readers)
        if (!reader.behind && reader.cursor < channel.head) {
          reader.behind = true;
          waiting.set(reader, channel);
        }
      pagesOf(isPlain).add(channel, offset, pieces, isTrimmed);
      for (const [reader, its] of waiters) if (its.readers.has(reader)) waiting.set(reader, its);
      // The reader's thread goes on at once, while this page is written.
      if (waiters.size > 0) readAhead(channel, offset, isPlain);
      if (timer === undefined && !stopped && clock.monotonic() >= restUntil) turn();
      else schedule();
    } catch (error) {
      // Read ahead for nobody: who comes there reads it again and meets the trouble.
      if (!stopped && waiters.size > 0) troubles.failed(channel, waiters.keys(), error);
    }
  };

  return {
    add(channel, reader) {
      reader.behind = true;
      waiting.set(reader, channel);
      schedule();
    },
    remove(reader) {
      waiting.delete(reader);
      held.delete(reader);
      for (const waiters of reads.values()) waiters.delete(reader);
      troubles.remove(reader);
      forgetPages();
    },
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
      troubles.stop();
      waiting.clear();
      held.clear();
      pages.clear();
      plainPages.clear();
    },
  };
}

/** Writes about one frame's worth to one reader. */
function feed(channel: Channel, reader: Reader, pages: Pages, encode: EncodeFrame): Progress {
  if (!channel.readers.has(reader)) return "live";
  if (reader.cursor >= channel.head) {
    reader.behind = false;
    return "live";
  }
  if (!reader.hasRoom()) return "noRoom";
  const events = channel.tail.after(reader.cursor, limits.frameTargetBytes);
  if (events === undefined && reader.cursor !== reader.origin && pages.isTrimmed(channel, reader.cursor)) return "lost";
  const page = events === undefined ? pages.frame(channel, reader.cursor) : undefined;
  if (events === undefined && page === undefined) return "read";
  const frames =
    page === undefined ? framesOf(channel.stream, reader.cursor + 1, channel.head, events ?? [], encode) : [page];
  for (const frame of frames) {
    reader.write(frame.bytes);
    reader.cursor = frame.through;
  }
  if (reader.cursor < channel.head) return "more";
  reader.behind = false;
  return "live";
}
