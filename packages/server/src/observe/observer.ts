/**
 * What the rooms of a node tell of what happens, for those who measure it. A node without an observer tells nobody.
 *
 * Invariant: a call costs what adding a number costs, never waits and never throws; what it is told is bounded in
 * kind (message types, close codes, operations), so that whatever is made of it is too.
 */
import type { ConnectionRecord } from "./connectionRecord.ts";

export interface Observer {
  /** An upgrade at the sockets' address was asked for; `status` where it was refused. */
  upgrade(status?: number): void;
  welcomed(): void;
  ended(record: ConnectionRecord): void;
  /** A message was worked on, `ms` long. */
  message(type: string, ms: number): void;
  /** A message was refused or failed. */
  failure(type: string, code: string): void;
  /** The store answered a call, or did not; `error` where it failed. */
  store(operation: string, ms: number, error?: unknown): void;
  /** The store was asked whether it is back (AD-2). */
  probe(ok: boolean): void;
  /** A client said how late it shows events: p99, ms. */
  displayLag(ms: number): void;
  /** A credential was judged, by whoever is said to vouch for it. */
  verified(issuer: string, result: string): void;
}

const nothing = (): void => {};

export const silentObserver: Observer = {
  upgrade: nothing,
  welcomed: nothing,
  ended: nothing,
  message: nothing,
  failure: nothing,
  store: nothing,
  probe: nothing,
  displayLag: nothing,
  verified: nothing,
};
