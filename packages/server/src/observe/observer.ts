/**
 * What the rooms of a node tell of what happens, for those who measure it. A node without an observer tells nobody.
 *
 * Invariant: a call costs what adding a number costs, never waits and never throws; what it is told is bounded in
 * kind (message types, close codes, operations), so that whatever is made of it is too.
 */
import type { ConnectionRecord } from "./connectionRecord.ts";

export interface WelcomedOpening extends Pick<ConnectionRecord, "connection" | "phases"> {
  /** Of the upgrade, ms since 1970. */
  readonly at: number;
}

export interface Observer {
  /** An upgrade at the sockets' address was asked for; `status` where it was refused. */
  upgrade(status?: number): void;
  welcomed(opening: WelcomedOpening): void;
  ended(record: ConnectionRecord): void;
  /** A message was worked on, `ms` long. */
  message(type: string, ms: number): void;
  /** A message was refused or failed. */
  failure(type: string, code: string): void;
  /** A request has its answer, over a socket or HTTP; `error`: its code. `method` is one that there is, or `unknown`. */
  request(method: string, ms: number, error?: string): void;
  /** The store answered a call, or did not; `error` where it failed. `operations`: in a commit. */
  store(operation: string, ms: number, error?: unknown, operations?: number): void;
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
  request: nothing,
  store: nothing,
  probe: nothing,
  displayLag: nothing,
  verified: nothing,
};

/** Tells both. */
export function observers(first: Observer, second: Observer): Observer {
  return {
    upgrade: (...told) => both(first.upgrade, second.upgrade, told),
    welcomed: (...told) => both(first.welcomed, second.welcomed, told),
    ended: (...told) => both(first.ended, second.ended, told),
    message: (...told) => both(first.message, second.message, told),
    failure: (...told) => both(first.failure, second.failure, told),
    request: (...told) => both(first.request, second.request, told),
    store: (...told) => both(first.store, second.store, told),
    probe: (...told) => both(first.probe, second.probe, told),
    displayLag: (...told) => both(first.displayLag, second.displayLag, told),
    verified: (...told) => both(first.verified, second.verified, told),
  };
}

function both<Told extends readonly unknown[]>(
  first: (...told: Told) => void,
  second: (...told: Told) => void,
  told: Told,
): void {
  first(...told);
  second(...told);
}
