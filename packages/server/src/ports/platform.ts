/** The platform's clock and chance, as ports (see `ports.ts` of `protocol`): the server's only shell for them. */
import { randomBytes } from "node:crypto";
import type { Clock, Random } from "@holdfast/protocol";

export const platformClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => setTimeout(run, ms),
  cancel: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** An id costs 10 bytes, and asking the system costs the same for 10 as for thousands. */
const poolBytes = 4_096;
let pool = new Uint8Array(0);
let taken = 0;

/** Bytes that nobody else has had, or will. */
function takeBytes(count: number): Uint8Array {
  if (count > poolBytes) return randomBytes(count);
  if (taken + count > pool.length) {
    pool = randomBytes(poolBytes);
    taken = 0;
  }
  taken += count;
  // A copy: what is handed out may be changed, and must not keep the pool.
  return pool.slice(taken - count, taken);
}

export const platformRandom: Random = {
  fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: takeBytes,
};
