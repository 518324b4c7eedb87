/**
 * Whoever takes part in a run and can be struck: the server, an agent, a client, a page.
 *
 * A strike does its harm, waits, and makes it good again; it tells how much it did, and 0 means that it took no effect and
 * counts for nothing. One strike at a time befalls one player.
 */
import type { FaultyProxy } from "./faultyProxy.ts";
import type { Fault, Strike } from "./schedule.ts";

export interface Player {
  readonly name: string;
  start(): Promise<void>;
  /** How much it did. Rejects where the player cannot be brought back. */
  strike(strike: Strike): Promise<number>;
  /** Ends it for good, politely. */
  end(): Promise<void>;
}

/** What a strike is called in reports. */
export function nameOfFault(fault: Fault): string {
  return fault.kind === "network" ? fault.network.kind : fault.kind;
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** A bad network for a while. */
export async function strikeLink(proxy: FaultyProxy, { fault, ms }: Strike): Promise<number> {
  if (fault.kind !== "network") throw new Error(`${fault.kind} is nothing that a network does`);
  proxy.begin(fault.network);
  await pause(ms);
  return proxy.heal();
}

/** The first value of `look` that is not undefined. Rejects where there is none within `msMax`. */
export async function until<Value>(
  look: () => Value | undefined | Promise<Value | undefined>,
  what: () => string,
  msMax: number,
): Promise<Value> {
  const end = performance.now() + msMax;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`not within ${msMax} ms: ${what()}`);
    await pause(lookEveryMs);
  }
}

const lookEveryMs = 100;
