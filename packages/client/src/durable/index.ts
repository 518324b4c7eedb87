/** A session whose requests survive a reload (RQ-3). */
import type { MethodMap } from "../api.ts";
import { type DurableSession, type DurableSessionOptions, openDurableSession } from "./durableSession.ts";

export type * from "../api.ts";
export type { DurableCallOptions, DurableSession, DurableSessionOptions } from "./durableSession.ts";
export type { SavedRequest } from "./orders.ts";

/** Opens a session and starts it. It lives until `close()`. */
export function createDurableSession<Methods extends MethodMap = MethodMap>(
  options: DurableSessionOptions,
): DurableSession<Methods> {
  return openDurableSession(options).session as DurableSession<Methods>;
}
