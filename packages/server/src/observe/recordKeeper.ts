/**
 * Writes the records of ended connections to the `connections` stream, seldom and never in anybody's way.
 *
 * Life cycle of a record: it waits → a write of at most {@link batchMax} records, no sooner than {@link writeApartMs}
 * after the one before → it is in the log. Where the store does not take them they wait on, at most
 * {@link waitingMax}; beyond that the oldest go and are counted, and the next write says how many. Invariants: one
 * write under way; an outage costs one try each {@link retryMs}. What is here when the server stops is written at once,
 * for up to {@link stopMsMax}; then the newest are, and the rest is counted.
 */
import type { Clock, TimerHandle } from "@holdfast/protocol";
import type { ConnectionRecord } from "./connectionRecord.ts";
import type { KeptRecords } from "./recordsPlugin.ts";

const writeApartMs = 1_000;
const retryMs = 5_000;
const batchMax = 500;
const waitingMax = 10_000;
/** CL-9: a stop has 10 s in all. */
const stopMsMax = 2_000;

export interface RecordKeeper {
  add(record: ConnectionRecord): void;
  /** Writes what waits, and leaves no timer. */
  stop(): Promise<void>;
}

export interface RecordKeeperOptions {
  readonly clock: Clock;
  /** Rejects where the store does not take them. */
  readonly write: (kept: KeptRecords) => Promise<unknown>;
}

export function createRecordKeeper({ clock, write }: RecordKeeperOptions): RecordKeeper {
  let waiting: ConnectionRecord[] = [];
  let dropped = 0;
  let timer: TimerHandle | undefined;
  let underWay: Promise<boolean> | undefined;
  let stopped = false;

  const makeRoom = (max = waitingMax): void => {
    const excess = waiting.length - max;
    if (excess <= 0) return;
    waiting = waiting.slice(excess);
    dropped += excess;
  };

  const arm = (ms: number): void => {
    if (stopped || timer !== undefined || underWay !== undefined || waiting.length === 0) return;
    timer = clock.after(ms, () => {
      timer = undefined;
      underWay = flush();
    });
  };

  /** Whether the store took them. */
  const flush = async (): Promise<boolean> => {
    const kept = { records: waiting.slice(0, batchMax), dropped };
    waiting = waiting.slice(kept.records.length);
    dropped = 0;
    let isTaken = true;
    try {
      await write(kept);
    } catch {
      // The store's own trouble is told where it is met; here it only means that they wait on.
      isTaken = false;
      waiting = [...kept.records, ...waiting];
      dropped += kept.dropped;
      makeRoom();
    }
    underWay = undefined;
    arm(isTaken ? writeApartMs : retryMs);
    return isTaken;
  };

  return {
    add(record) {
      waiting.push(record);
      makeRoom();
      arm(writeApartMs);
    },
    async stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
      timer = undefined;
      const endsAt = clock.monotonic() + stopMsMax;
      let isTaken = (await underWay) ?? true;
      while (isTaken && waiting.length > 0) {
        if (clock.monotonic() >= endsAt) makeRoom(batchMax);
        isTaken = await flush();
      }
    },
  };
}
