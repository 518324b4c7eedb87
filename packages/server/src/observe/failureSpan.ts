/** For how long something has failed now and again: a span that a quiet time ends. Pure; times are monotonic ms. */

const quietMs = 30_000;

export interface FailureSpan {
  failed(at: number): void;
  /** ms since the first failure of the span; 0 where none is under way. */
  lengthAt(at: number): number;
}

export function createFailureSpan(): FailureSpan {
  let first = 0;
  let last = Number.NEGATIVE_INFINITY;
  return {
    failed(at) {
      if (at - last > quietMs) first = at;
      last = at;
    },
    lengthAt: (at) => (at - last > quietMs ? 0 : at - first),
  };
}
