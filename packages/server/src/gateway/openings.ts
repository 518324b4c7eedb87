/** The subscriptions of a node whose start the store does not give right now (ST-7, ST-8). */
import type { Clock } from "@holdfast/protocol";
import type { StoreWatch } from "../admission/storeHealth.ts";
import type { Log } from "../observe/log.ts";
import { createTroubles, type Troubles, type Waiter } from "../streams/trouble.ts";

export interface Opening extends Waiter {
  /** Tries again; false where nobody waits for it any more. */
  retry(): boolean;
}

/** Keyed by workspace and stream. */
export type Openings = Troubles<string, Opening>;

export function createOpenings(clock: Clock, log: Log, health: StoreWatch): Openings {
  return createTroubles({
    clock,
    log,
    health,
    nameOf: (place) => place.slice(place.indexOf("\n") + 1),
    retry: (_place, opening) => opening.retry(),
  });
}
