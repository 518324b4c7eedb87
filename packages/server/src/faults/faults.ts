/**
 * Faults that this node makes on demand, beneath everything that has to live with them: in development mode only.
 *
 * Life cycle: none → made, with its end → over by itself, or with the next start. Invariants: what a node does about a
 * fault is what it does about a real one, since nothing above the store and the bus knows this room; a call that was
 * under way when the store went loses its answer and not its effect, as with a real one. An agent, a page and another
 * server are deliberately never touched: theirs are real.
 */
import { type Clock, unreachable } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import { StoreLost } from "../store/outage.ts";
import type { Store } from "../store/port.ts";
import type { Bus } from "../streams/bus.ts";
import { type Fault, faultSecondsMax, type MadeFault } from "./fault.ts";

export interface Faults {
  /** Those that this node can make. */
  readonly offered: readonly Fault[];
  /** The same store and bus, which fail when they are to. */
  readonly store: Store;
  readonly bus: Bus | undefined;
  /** One whose time is over does nothing. */
  make(made: MadeFault): void;
}

export interface FaultsOptions {
  readonly store: Store;
  readonly bus: Bus | undefined;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly log: Log;
  /** Starts this server again; absent where nobody can. */
  readonly restart: (() => void) | undefined;
}

export function createFaults({ store, bus, clock, log, restart }: FaultsOptions): Faults {
  /** Monotonic ms. */
  let storeAwayUntil = Number.NEGATIVE_INFINITY;
  let busLostUntil = Number.NEGATIVE_INFINITY;

  return {
    offered: [
      "storeAway",
      ...(bus === undefined ? [] : (["busLost"] as const)),
      ...(restart ? ["restart" as const] : []),
    ],
    store: withAbsence(store, () => clock.monotonic() < storeAwayUntil),
    bus: bus && withSilence(bus, () => clock.monotonic() < busLostUntil),
    make({ fault, until, by }) {
      const forMs = Math.min(faultSecondsMax * 1_000, until - clock.now());
      if (forMs <= 0) return;
      log.info("weather.fault_made", { fault, forMs, by });
      const end = clock.monotonic() + forMs;
      switch (fault) {
        case "storeAway":
          storeAwayUntil = end;
          return;
        case "busLost":
          busLostUntil = end;
          return;
        case "restart":
          restart?.();
          return;
        default:
          unreachable(fault);
      }
    },
  };
}

function withAbsence(store: Store, isAway: () => boolean): Store {
  const ask = async <Value>(run: () => Promise<Value>): Promise<Value> => {
    requireThere(isAway());
    const value = await run();
    requireThere(isAway());
    return value;
  };
  return {
    commit: (batch) => ask(() => store.commit(batch)),
    position: (workspace, stream) => ask(() => store.position(workspace, stream)),
    positions: (streams) => ask(() => store.positions(streams)),
    snapshot: (workspace, stream) => ask(() => store.snapshot(workspace, stream)),
    read: (...place) => ask(() => store.read(...place)),
    query: (caller, method, params) => ask(() => store.query(caller, method, params)),
    close: () => store.close(),
  };
}

function requireThere(isAway: boolean): void {
  if (isAway) throw new StoreLost("taken away by weather.make, for a while");
}

function withSilence(bus: Bus, isLost: () => boolean): Bus {
  return {
    publish: (heads) => void (isLost() || bus.publish(heads)),
    publishSignals: (signals) => void (isLost() || bus.publishSignals(signals)),
    listen: (hear) => bus.listen((notice) => void (isLost() || hear(notice))),
  };
}
