/**
 * How many operations commit together at most: fewer where the store is slow.
 *
 * A database that takes 50 ms for each statement would not end a full batch within the store's deadline, and the next
 * one no sooner: nothing would ever commit. So the most follows the time that batches took: one over
 * {@link batchMsAimed} shrinks it in proportion, one that failed as late as that to a quarter, and a quick one doubles it.
 * Invariant: between {@link operationsMin} and {@link operationsMax}, whatever the store does; what is refused at once
 * says nothing of a batch's size. It reads no clock.
 */

export const operationsMax = 1_000;
/** Where each batch is slow whatever is in it, smaller ones would only commit less. */
export const operationsMin = 16;
/** A third of the time that a store's call has (`storeCallMsMax`). */
export const batchMsAimed = 3_000;
const failedShare = 0.25;
const growth = 2;

export interface CommitSize {
  /** Of the next batch, at most. */
  readonly operations: number;
  /** A batch of so many was committed, or failed, after so long. */
  ended(operations: number, tookMs: number, committed: boolean): void;
}

export function createCommitSize(): CommitSize {
  let most = operationsMax;
  const limit = (operations: number): void => {
    most = Math.min(operationsMax, Math.max(operationsMin, Math.floor(operations)));
  };
  return {
    get operations() {
      return most;
    },
    ended(operations, tookMs, committed) {
      const isSlow = tookMs > batchMsAimed;
      if (isSlow) limit(Math.min(most, operations * (committed ? batchMsAimed / tookMs : failedShare)));
      else if (committed && tookMs < batchMsAimed / growth) limit(most * growth);
    },
  };
}
