/**
 * Streams that cannot be read right now: one retry a stream, however many readers wait (ST-7, ST-8).
 *
 * Life cycle: a read of a stream fails → its readers are told `pending`, once, and wait here → one of them
 * tries again after 5 s, doubling to 60 s → the first read that succeeds lets all go on. One log line opens an
 * outage and one ends it, under the same `ref`. It closes nothing and judges nothing.
 */
import { randomUUID } from "node:crypto";
import { type Clock, ProtocolError, type TimerHandle } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import type { Channel } from "./channel.ts";
import type { Reader } from "./reader.ts";

const retryMsMin = 5_000;
const retryMsMax = 60_000;

export interface Troubles {
  /** Whether a stream is in trouble; the reader then waits here. */
  holds(channel: Channel, reader: Reader): boolean;
  /** A read failed: these wait. */
  failed(channel: Channel, readers: Iterable<Reader>, error: unknown): void;
  /** A read succeeded: those who waited, to go on. */
  ended(channel: Channel): Iterable<Reader>;
  remove(reader: Reader): void;
  stop(): void;
}

interface Trouble {
  readonly ref: string;
  readonly reason: string;
  readonly since: number;
  readonly readers: Set<Reader>;
  retryMs: number;
  /** undefined while the one retry is under way. */
  timer: TimerHandle | undefined;
}

export function createTroubles(clock: Clock, log: Log, retry: (channel: Channel, reader: Reader) => void): Troubles {
  const troubles = new Map<Channel, Trouble>();

  const arm = (channel: Channel, trouble: Trouble): void => {
    trouble.timer = clock.after(trouble.retryMs, () => {
      trouble.timer = undefined;
      const [first] = trouble.readers;
      if (first === undefined) troubles.delete(channel);
      else retry(channel, first);
    });
  };

  const begin = (channel: Channel, error: unknown): Trouble => {
    const reason = error instanceof ProtocolError ? error.code : "internal";
    const readers = new Set<Reader>();
    const since = clock.monotonic();
    const trouble = { ref: randomUUID(), reason, since, readers, retryMs: retryMsMin, timer: undefined };
    log.error("stream.read_failed", { ref: trouble.ref, stream: channel.stream, error });
    troubles.set(channel, trouble);
    return trouble;
  };

  return {
    holds(channel, reader) {
      const trouble = troubles.get(channel);
      // The retry itself must pass.
      if (trouble === undefined || trouble.timer === undefined) return false;
      join(trouble, reader);
      return true;
    },
    failed(channel, readers, error) {
      const known = troubles.get(channel);
      const trouble = known ?? begin(channel, error);
      // Only the retry itself lengthens the wait: other reads of the same outage were under way.
      if (known !== undefined && known.timer === undefined) known.retryMs = Math.min(retryMsMax, known.retryMs * 2);
      for (const reader of readers) join(trouble, reader);
      if (trouble.timer === undefined) arm(channel, trouble);
    },
    ended(channel) {
      const trouble = troubles.get(channel);
      if (trouble === undefined) return [];
      if (trouble.timer !== undefined) clock.cancel(trouble.timer);
      troubles.delete(channel);
      const forMs = Math.round(clock.monotonic() - trouble.since);
      log.info("stream.read_again", { ref: trouble.ref, stream: channel.stream, forMs, waited: trouble.readers.size });
      return trouble.readers;
    },
    remove(reader) {
      for (const trouble of troubles.values()) trouble.readers.delete(reader);
    },
    stop() {
      for (const trouble of troubles.values()) if (trouble.timer !== undefined) clock.cancel(trouble.timer);
      troubles.clear();
    },
  };
}

/** Told once: the reader that waits already knows. */
function join(trouble: Trouble, reader: Reader): void {
  if (trouble.readers.has(reader)) return;
  trouble.readers.add(reader);
  reader.pending(trouble.reason, trouble.ref);
}
