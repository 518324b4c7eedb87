/** The platform's clock and chance, as ports (see `ports.ts` of `protocol`): the server's only shell for them. */
import { randomBytes } from "node:crypto";
import type { Clock, Random } from "@holdfast/protocol";

export const platformClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => setTimeout(run, ms),
  cancel: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

export const platformRandom: Random = {
  fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  bytes: (count) => randomBytes(count),
};
