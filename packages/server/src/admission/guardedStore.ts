/**
 * The store behind its breaker: every call has a deadline, and none is made while the breaker is open (AD-2).
 *
 * Life cycle of a call: refused at once while the store is down; else asked, and answered within its deadline or
 * rejected `store_unavailable`. Invariants: a failure of the database itself is counted, one of a single statement
 * is passed on and never counted (ST-8); at most `storeQueriesUnderWayMax` read methods are at the store at once,
 * so that a crowd of them waits here, where no deadline runs. What a late commit has done is the log's to tell:
 * its events are found by the head check (ST-14), its answers by the repeat of the same keys (RQ-1).
 */
import { type Clock, ProtocolError } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import type { Observer } from "../observe/observer.ts";
import { isOutage, StoreLost } from "../store/outage.ts";
import type { Store } from "../store/port.ts";
import type { Lane } from "./breaker.ts";
import { withinMs } from "./deadline.ts";
import type { AdmissionLimits } from "./limits.ts";
import { createStoreHealth, outageReason, type StoreHealth } from "./storeHealth.ts";

/** Read methods that wait for their turn; above it they are refused, to come back (CL-4). */
const queriesWaitingMax = 10_000;

export interface GuardedStoreOptions {
  readonly store: Store;
  readonly limits: AdmissionLimits;
  /** Names the dependency in the log. */
  readonly place: Readonly<Record<string, string | number>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: Observer;
}

/** The same store, guarded, and what is known of its health. */
export function guardStore({ store, limits, place, clock, log, observer }: GuardedStoreOptions): {
  readonly store: Store;
  readonly health: StoreHealth;
} {
  const health = createStoreHealth({
    place,
    limits,
    clock,
    log,
    probe: async () => {
      try {
        await withinMs(clock, limits.storeProbeMsMax, probe(store), () => lateAfter(limits.storeProbeMsMax));
        observer.probe(true);
      } catch (error) {
        observer.probe(false);
        throw error;
      }
    },
  });

  const ask = async <Value>(
    lane: Lane,
    operation: string,
    run: () => Promise<Value>,
    operations?: number,
  ): Promise<Value> => {
    if (health.degraded !== undefined) throw health.refusal();
    const began = clock.monotonic();
    try {
      const value = await withinMs(clock, limits.storeCallMsMax, run(), () => lateAfter(limits.storeCallMsMax));
      health.succeeded(lane);
      observer.store(operation, clock.monotonic() - began, undefined, operations);
      return value;
    } catch (error) {
      observer.store(operation, clock.monotonic() - began, ownTrouble(error), operations);
      if (!isOutage(error)) throw ownTrouble(error);
      health.failed(lane, ownTrouble(error));
      throw new ProtocolError(outageReason, "the database did not answer", {
        retryAfter: health.retryAfter(),
        cause: error,
      });
    }
  };
  const queries = createTurns(limits.storeQueriesUnderWayMax, () => health.refusal());

  return {
    health,
    store: {
      commit: (batch) => ask("write", "commit", () => store.commit(batch), batch.length),
      position: (workspace, stream) => ask("read", "position", () => store.position(workspace, stream)),
      positions: (streams) => ask("read", "positions", () => store.positions(streams)),
      snapshot: (workspace, stream) => ask("read", "snapshot", () => store.snapshot(workspace, stream)),
      read: (...place) => ask("read", "read", () => store.read(...place)),
      query: (caller, method, params) => queries(() => ask("read", "query", () => store.query(caller, method, params))),
      close: () => store.close(),
    },
  };
}

/** A write that is on the disk when it is answered, and a read. */
async function probe(store: Store): Promise<void> {
  const [written] = await Promise.all([store.commit([{ kind: "probe" }]), store.position("probe", "probe")]);
  const [outcome] = written.outcomes;
  // `internal`: the probe's own statement is wrong, and the database said so. It answers; that never counts (AD-2), else
  // one table that may not be written would make an outage of a moment one for ever.
  if (outcome?.ok === false && outcome.error.code !== "internal") throw ProtocolError.fromBody(outcome.error);
}

/** A store says `store_unavailable` of every failure; of one statement its cause tells more. */
function ownTrouble(error: unknown): unknown {
  return error instanceof ProtocolError && error.code === outageReason ? (error.cause ?? error) : error;
}

function lateAfter(ms: number): StoreLost {
  return new StoreLost(`no answer within ${ms} ms`);
}

/** At most so many at once, in the order of asking. */
function createTurns(max: number, refusal: () => Error): <Value>(run: () => Promise<Value>) => Promise<Value> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (run) => {
    if (running >= max) {
      if (waiting.length >= queriesWaitingMax) throw refusal();
      // The place is handed over: nobody who comes between takes it.
      await new Promise<void>((go) => waiting.push(go));
    } else running += 1;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
