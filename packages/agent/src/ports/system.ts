/** Time and chance of this machine, behind the protocol's ports. */
import { randomBytes } from "node:crypto";
import type { Clock, Random } from "@holdfast/protocol";

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => setTimeout(run, ms),
  cancel: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
};

export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: (count) => randomBytes(count),
};
