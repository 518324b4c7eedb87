/**
 * The connection: one state value, one table, one step.
 *
 *   idle ─▶ authenticating ─▶ connecting ─▶ greeting ─▶ open ─▶ closing ─▶ closed
 *              ▲  │                │           │          │
 *              └──┴─── waiting ◀───┴───────────┴──────────┘      stopped: until a person says `reconnect`
 *
 * `stepConnection` changes the connection in place, and is a function of its arguments all the same: time and chance
 * are given, effects are data. Invariants: at most one socket is owned, and whoever speaks for another attempt is not heard (CL-6, X6); every state but
 * `idle`, `authenticating`, `stopped` and `closed` holds a deadline, so nothing waits for ever (X13);
 * timers are a function of the state, so leaving a state can leak none (F18). It deliberately knows no
 * streams, requests or producers.
 */
import type { Connection, ConnectionEvent, EventKind, Rule, StateKind, StepContext } from "./connectionState.ts";
import { connectionTable, tableStates } from "./connectionTable.ts";

/** One event, by the table. Who speaks for an abandoned attempt or question is not heard (CL-6). */
export function stepConnection(connection: Connection, event: ConnectionEvent, context: StepContext): void {
  const { state } = connection;
  if ("attempt" in event && event.attempt !== state.attempt) return;
  // The table types each rule by its row and column; a lookup by two unions cannot keep that bond.
  const rule = connectionTable[event.kind][tableStates.indexOf(state.kind)] as Rule<StateKind, EventKind>;
  rule(connection, state, context, event);
}
