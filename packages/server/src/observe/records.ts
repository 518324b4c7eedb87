/**
 * What a node remembers of connections: who tried, and how the last ones ended.
 *
 * Life cycle: told at each `hello` and at each end → asked by metrics and diagnostics → `stop`. With a keeper, ended
 * connections go to the `connections` stream too. Invariant: bounded by {@link createRecentRecords} and
 * {@link createStormFactor}; nothing here waits for the store.
 */
import type { Clock } from "@holdfast/protocol";
import type { ConnectionRecord } from "./connectionRecord.ts";
import { createRecentRecords, type RecentRecords } from "./recentRecords.ts";
import { createRecordKeeper } from "./recordKeeper.ts";
import type { KeptRecords } from "./recordsPlugin.ts";
import { createStormFactor } from "./stormFactor.ts";

export interface Records {
  /** A client opens a connection; `instance` tells it from others. */
  hello(instance: string): void;
  ended(record: ConnectionRecord): void;
  readonly recent: RecentRecords;
  /** Openings attempted a client in the last minute. */
  stormFactor(): number;
  /** Writes what waits, and leaves no timer. */
  stop(): Promise<void>;
}

export interface RecordsOptions {
  readonly clock: Clock;
  /** Keeps them in the store; absent: nothing is kept. */
  readonly write?: (kept: KeptRecords) => Promise<unknown>;
}

export function createRecords({ clock, write }: RecordsOptions): Records {
  const recent = createRecentRecords();
  const storm = createStormFactor();
  const keeper = write === undefined ? undefined : createRecordKeeper({ clock, write });
  return {
    recent,
    hello: (instance) => storm.attempt(instance, clock.monotonic()),
    ended(record) {
      recent.add(record);
      keeper?.add(record);
    },
    stormFactor: () => storm.at(clock.monotonic()),
    stop: async () => keeper?.stop(),
  };
}
