/** The platform as ports: clock and chance, in browsers and in Node ≥ 22 alike. */
import type { Clock, Random } from "@holdfast/protocol";

/** `setTimeout` fires at once beyond this. */
const timerMsMax = 2 ** 31 - 1;

export const platformClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => setTimeout(run, Math.min(timerMsMax, ms)),
  cancel: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

export const platformRandom: Random = {
  fraction: () => Math.random(),
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};
