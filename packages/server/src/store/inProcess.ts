/**
 * The {@link Store} port over an engine in this thread: one call after the other, since a connection has one
 * transaction.
 *
 * For a database whose driver waits without holding the thread, for tests and for the simulation. Invariant: a
 * call that fails leaves the next ones their turn, and reaches its caller as `store_unavailable` with its cause,
 * as every store's failure does. It deliberately bounds no waiting: who calls it does.
 */
import { ProtocolError } from "@holdfast/protocol";
import type { Dialect } from "./dialect.ts";
import type { Engine } from "./engine.ts";
import type { Store } from "./port.ts";

const retryAfterMs = 5_000;

export function inProcessStore(engine: Engine, dialect: Dialect): Store {
  const inTurn = createTurns();
  return {
    commit: (batch) => inTurn(() => engine.commit(batch)),
    position: (workspace, stream) => inTurn(() => dialect.position(workspace, stream)),
    positions: (streams) => inTurn(() => dialect.positions(streams)),
    snapshot: (workspace, stream) => inTurn(() => engine.snapshot(workspace, stream)),
    read: (workspace, stream, offset, eventsMax, bytesMax) =>
      inTurn(() => engine.readEncoded(workspace, stream, offset, eventsMax, bytesMax)),
    query: (caller, method, params) => inTurn(() => engine.query(caller, method, params)),
    close: () => inTurn(() => dialect.close()),
  };
}

/** Runs one at a time, in the order of asking. */
function createTurns(): <Value>(run: () => Promise<Value>) => Promise<Value> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const turn = last.then(run).catch((cause: unknown) => {
      throw new ProtocolError("store_unavailable", "the store did not answer", { retryAfter: retryAfterMs, cause });
    });
    last = turn.catch(() => {});
    return turn;
  };
}
