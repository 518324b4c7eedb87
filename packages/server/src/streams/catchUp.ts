/**
 * Feeds readers that are behind: from the tail in memory, else from the log, a little at a time.
 *
 * Life cycle of a reader here: it falls behind → it waits its turn → each turn writes about one frame's worth
 * → it is at the head and live again. One that has no room is let go; its socket's drain brings it back. The
 * work is round robin with a budget of {@link turnMsMax} a turn, then a pause, since 100 readers that wake at
 * once would else hold everybody up. Reads of the same place are shared. Invariants: at most
 * {@link readsUnderWayMax} reads under way; only cursors are kept.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import { limits } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import type { Store } from "../store/port.ts";
import type { Channel } from "./channel.ts";
import { type EncodeFrame, framesOf } from "./eventsFrame.ts";
import type { Reader } from "./reader.ts";
import { type EncodedEvent, encodeEvent } from "./tail.ts";
import { createTroubles } from "./trouble.ts";

const turnMsMax = 1;
const pauseMs = 3;
const readsUnderWayMax = 16;
const readEventsMax = 2_000;
const readBytesMax = 256 * 1024;

export interface CatchUp {
  add(channel: Channel, reader: Reader): void;
  remove(reader: Reader): void;
  stop(): void;
}

export interface CatchUpOptions {
  readonly store: Pick<Store, "read">;
  readonly clock: Clock;
  readonly log: Log;
  readonly encode: EncodeFrame;
}

type Progress = "live" | "more" | "noRoom" | "read";

export function createCatchUp({ store, clock, log, encode }: CatchUpOptions): CatchUp {
  /** Who waits for a turn, in order. */
  const waiting = new Map<Reader, Channel>();
  /** Reads under way, by place, with those who wait for them. */
  const reads = new Map<string, Map<Reader, Channel>>();
  let timer: TimerHandle | undefined;
  let stopped = false;
  // Past the cap and past its turn: the one retry of a stream always ends, as a success or a failure.
  const troubles = createTroubles(clock, log, (channel, reader) => {
    void read(channel, reader.cursor, new Map([[reader, channel]]));
  });

  const schedule = (ms: number): void => {
    if (timer !== undefined || stopped || waiting.size === 0) return;
    timer = clock.after(ms, () => {
      timer = undefined;
      turn();
    });
  };

  const turn = (): void => {
    const until = clock.monotonic() + turnMsMax;
    let left = waiting.size;
    while (left > 0 && clock.monotonic() < until) {
      const [next] = waiting;
      if (next === undefined) break;
      const [reader, channel] = next;
      waiting.delete(reader);
      left -= 1;
      const progress = feedFromTail(channel, reader, encode);
      if (progress === "more") waiting.set(reader, channel);
      else if (progress === "read") startRead(channel, reader);
    }
    schedule(pauseMs);
  };

  const startRead = (channel: Channel, reader: Reader): void => {
    if (troubles.holds(channel, reader)) return;
    const place = `${channel.workspace}\n${channel.stream}\n${reader.cursor}`;
    const shared = reads.get(place);
    if (shared !== undefined) {
      shared.set(reader, channel);
      return;
    }
    if (reads.size >= readsUnderWayMax) {
      waiting.set(reader, channel);
      return;
    }
    const waiters = new Map([[reader, channel]]);
    reads.set(place, waiters);
    void read(channel, reader.cursor, waiters).finally(() => reads.delete(place));
  };

  const read = async (channel: Channel, offset: number, waiters: Map<Reader, Channel>): Promise<void> => {
    try {
      const run = await store.read(channel.workspace, channel.stream, offset, readEventsMax, readBytesMax);
      // What this node delivered was committed: a store that shows less is not telling the truth now.
      if (run.events.length === 0 && offset < channel.head)
        throw new Error(`nothing after ${offset} of ${channel.head}`);
      for (const reader of troubles.ended(channel)) if (channel.readers.has(reader)) waiting.set(reader, channel);
      feedRun(waiters, offset, run.events.map(encodeEvent));
    } catch (error) {
      if (!stopped) troubles.failed(channel, waiters.keys(), error);
    }
  };

  const feedRun = (waiters: Map<Reader, Channel>, offset: number, events: readonly EncodedEvent[]): void => {
    const [first] = waiters.values();
    if (first === undefined) return;
    const frames = framesOf(first.stream, offset + 1, first.head, events, encode);
    first.head = Math.max(first.head, frames.at(-1)?.through ?? 0);
    for (const reader of waiters.keys()) {
      for (const frame of frames) {
        if (reader.cursor !== frame.offset - 1 || !reader.hasRoom()) break;
        reader.write(frame.bytes);
        reader.cursor = frame.through;
      }
    }
    requeue(waiters);
  };

  const requeue = (waiters: Map<Reader, Channel>): void => {
    for (const [reader, channel] of waiters) if (channel.readers.has(reader)) waiting.set(reader, channel);
    schedule(0);
  };

  return {
    add(channel, reader) {
      reader.behind = true;
      waiting.set(reader, channel);
      schedule(0);
    },
    remove(reader) {
      waiting.delete(reader);
      for (const waiters of reads.values()) waiters.delete(reader);
      troubles.remove(reader);
    },
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
      troubles.stop();
      waiting.clear();
    },
  };
}

function feedFromTail(channel: Channel, reader: Reader, encode: EncodeFrame): Progress {
  if (!channel.readers.has(reader)) return "live";
  if (reader.cursor >= channel.head) {
    reader.behind = false;
    return "live";
  }
  if (!reader.hasRoom()) return "noRoom";
  const events = channel.tail.after(reader.cursor, limits.frameTargetBytes);
  if (events === undefined) return "read";
  for (const frame of framesOf(channel.stream, reader.cursor + 1, channel.head, events, encode)) {
    reader.write(frame.bytes);
    reader.cursor = frame.through;
  }
  if (reader.cursor < channel.head) return "more";
  reader.behind = false;
  return "live";
}
