/**
 * Reads shared out among a few connections: bounded in number, in waiting and in time.
 *
 * Life cycle of a read: asked → taken by an idle connection, or waiting in line → run → answered. Invariant: at
 * most {@link waitingReadsMax} wait, for at most {@link waitMsMax}; what cannot wait is answered
 * `store_unavailable` at once, so that a slow database fills no memory.
 */
import { type Clock, ProtocolError, type TimerHandle } from "@holdfast/protocol";
import type { Store } from "../port.ts";

export const waitingReadsMax = 2_000;
const waitMsMax = 4_000;
const retryAfterMs = 5_000;

export type Reading = Pick<Store, "position" | "positions" | "snapshot" | "read" | "query">;

interface Waiting {
  readonly start: (reader: Reading) => void;
  readonly timer: TimerHandle;
}

export function shareReaders(readers: readonly Reading[], clock: Clock): Reading {
  const idle = [...readers];
  const waiting = new Set<Waiting>();

  const take = (): Promise<Reading> => {
    const reader = idle.pop();
    if (reader !== undefined) return Promise.resolve(reader);
    if (waiting.size >= waitingReadsMax) return Promise.reject(busy(`${waiting.size} reads wait for the store`));
    return new Promise((resolve, reject) => {
      const timer = clock.after(waitMsMax, () => {
        waiting.delete(waiter);
        reject(busy(`the store was busy with other reads for ${waitMsMax} ms`));
      });
      const waiter: Waiting = { start: resolve, timer };
      waiting.add(waiter);
    });
  };
  const give = (reader: Reading): void => {
    const [next] = waiting;
    if (next === undefined) {
      idle.push(reader);
      return;
    }
    waiting.delete(next);
    clock.cancel(next.timer);
    next.start(reader);
  };
  const by = async <Value>(run: (reader: Reading) => Promise<Value>): Promise<Value> => {
    const reader = await take();
    try {
      return await run(reader);
    } finally {
      give(reader);
    }
  };

  return {
    position: (workspace, stream) => by((reader) => reader.position(workspace, stream)),
    positions: (streams) => by((reader) => reader.positions(streams)),
    snapshot: (workspace, stream) => by((reader) => reader.snapshot(workspace, stream)),
    read: (...place) => by((reader) => reader.read(...place)),
    query: (caller, method, params) => by((reader) => reader.query(caller, method, params)),
  };
}

function busy(message: string): ProtocolError {
  return new ProtocolError("store_unavailable", message, { retryAfter: retryAfterMs });
}
