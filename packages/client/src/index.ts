/** A session for a browser tab, a Node process, a worker. */
export type * from "./api.ts";
export type { ConnectionState, EventKind, StateKind } from "./core/connectionState.ts";
export { connectionTable } from "./core/connectionTable.ts";
export { createSession } from "./createSession.ts";
export type * from "./storage/port.ts";
