/**
 * When who is refused may come back: one after the other, at the budget (CL-4).
 *
 * `max(now, last) + 1/budget`, so that a thousand refused in one moment come back over two seconds and not in one.
 * Invariant: no two promises are closer than 1/budget, unless the last one is 300 s away, which is as far as a
 * client reads. Pure: the time is passed in, monotonic ms.
 */
import { limits } from "@holdfast/protocol";

export interface RetryLaw {
  /** ms until the next free place, after `leastMs` more. Takes the place. */
  next(now: number, leastMs?: number): number;
  /** The same without taking it: for whom nobody knows again. */
  peek(now: number): number;
}

export function createRetryLaw(perSecond: number): RetryLaw {
  const apartMs = 1_000 / perSecond;
  let last = Number.NEGATIVE_INFINITY;
  const after = (now: number): number => Math.min(Math.max(now, last) + apartMs, now + limits.retryAfterMsMax);
  return {
    peek: (now) => Math.ceil(after(now) - now),
    next(now, leastMs = 0) {
      last = after(now);
      return Math.min(limits.retryAfterMsMax, Math.ceil(last - now + leastMs));
    },
  };
}
