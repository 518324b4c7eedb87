/**
 * Waiting on the platform's clock, always bounded: the only timers of this package.
 */

import type { Clock } from "@holdfast/protocol";

/** ms since some start, never set back. */
export const monotonicMs = (): number => performance.now();

/** The same and timers, for what takes its time from outside. */
export const waitingClock: Pick<Clock, "monotonic" | "after" | "cancel"> = {
  monotonic: monotonicMs,
  after: (ms, run) => setTimeout(run, ms),
  cancel: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** Resolves after `ms`. */
export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Asks each `everyMs` until the answer is yes (true) or `msMax` have passed (false). Asks at least once. */
export async function until(
  isSo: () => boolean,
  { msMax, everyMs }: { msMax: number; everyMs: number },
): Promise<boolean> {
  const end = performance.now() + msMax;
  for (;;) {
    if (isSo()) return true;
    const left = end - performance.now();
    if (left <= 0) return false;
    await sleep(Math.min(everyMs, left));
  }
}

/** What `work` gives, or `late` after `msMax`. The work itself goes on. */
export async function within<Value, Late>(work: Promise<Value>, msMax: number, late: Late): Promise<Value | Late> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<Late>((done) => {
    timer = setTimeout(() => done(late), msMax);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
