/**
 * What the outside world is to the production code: time, chance and transport.
 *
 * Client and server take these as parameters; the simulation passes others. Invariant: nothing in a
 * core calls the platform's clock, timers or random numbers. The store's port is the server's own,
 * since no client has one.
 */

/** Handle of an armed timer; opaque. */
export type TimerHandle = unknown;

export interface Clock {
  /** Wall clock, ms since 1970. For display, ids and tokens; may jump. */
  now(): number;
  /** Monotonic ms since some start. For every timeout. */
  monotonic(): number;
  /** Calls `run` once after `ms` (0 … 2³¹−1). The handle goes to {@link Clock.cancel}. */
  after(ms: number, run: () => void): TimerHandle;
  cancel(handle: TimerHandle): void;
}

export interface Random {
  /** A number in [0, 1). */
  fraction(): number;
  /** `count` random bytes, unguessable in production. */
  bytes(count: number): Uint8Array;
}

/** One socket of a client, as its shell sees it. */
export interface ClientSocket {
  /** Sends one text frame. Throws nothing: a socket that is not open drops it, and closes. */
  send(frame: string): void;
  close(code: number, reason: string): void;
}

export interface ClientSocketEvents {
  opened(): void;
  received(frame: string): void;
  closed(code: number, reason: string): void;
}

export interface Transport {
  /** Starts one attempt. Every outcome arrives as `closed` (X12); a throw, as for a malformed URL, is one too. */
  open(url: string, protocols: readonly string[], events: ClientSocketEvents): ClientSocket;
}
