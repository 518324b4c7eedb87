/**
 * What a node remembers of connections: who tried, and how the last ones ended.
 *
 * Life cycle: told at each `hello` and at each end → asked by metrics and diagnostics → `stop`. With a keeper, ended
 * connections go to the `connections` stream too. Invariant: bounded by {@link createRecentRecords},
 * {@link createStormFactor} and {@link createToldFigures}; nothing here waits for the store.
 */
import type { Clock, DeliveryFigures } from "@holdfast/protocol";
import type { ConnectionRecord } from "./connectionRecord.ts";
import { createRecentRecords, type RecentRecords } from "./recentRecords.ts";
import { createRecordKeeper } from "./recordKeeper.ts";
import type { KeptRecords } from "./recordsPlugin.ts";
import { createStormFactor } from "./stormFactor.ts";
import { createToldFigures } from "./toldFigures.ts";

export interface Records {
  /** A client opens a connection; `instance` tells it from others. `figures`: what it has counted so far. */
  hello(instance: string, figures?: DeliveryFigures): void;
  /** A client says how its events have arrived so far (ST-16). */
  told(instance: string, figures: DeliveryFigures): void;
  /** What clients have told since the start, each repeat and gap once. */
  readonly toldSums: Pick<DeliveryFigures, "duplicatesSuppressed" | "gapsRepaired">;
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
  const figures = createToldFigures();
  const keeper = write === undefined ? undefined : createRecordKeeper({ clock, write });
  return {
    recent,
    hello(instance, before) {
      storm.attempt(instance, clock.monotonic());
      figures.begin(instance, before);
    },
    told: (instance, now) => figures.told(instance, now),
    toldSums: figures,
    ended(record) {
      recent.add(record);
      keeper?.add(record);
    },
    stormFactor: () => storm.at(clock.monotonic()),
    stop: async () => keeper?.stop(),
  };
}
