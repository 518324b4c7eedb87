/**
 * A token bucket that promises: who finds it empty is told when one of its tokens is there for them (AD-1, CL-4).
 *
 * Life cycle: full at first, emptied by openings, filled by time; idle when it is full again and has promised
 * nothing, and may then be dropped. Invariant: promises follow each other at the bucket's own rate, however many
 * ask at once. Pure: the time is passed in, monotonic ms.
 */
import { limits } from "@holdfast/protocol";

/** A promise further away than a client would wait (CL-4) is not made. */
const promiseMsMax = limits.retryAfterMsMax;

export interface BucketRate {
  /** Tokens at once, after a silence. */
  readonly burst: number;
  readonly perMs: number;
}

export interface TokenBucket {
  tokens: number;
  filledAt: number;
  /** Monotonic ms of the last promise. */
  promisedUntil: number;
}

export type Taken = { readonly kind: "taken" } | { readonly kind: "empty"; readonly retryAfterMs: number };

export function fullBucket({ burst }: BucketRate, now: number): TokenBucket {
  // Whole numbers where they do: ten thousand buckets of fractions cost a MiB more.
  return { tokens: burst, filledAt: Math.ceil(now), promisedUntil: 0 };
}

/** Takes a token, or promises the next one. */
export function takeToken(bucket: TokenBucket, rate: BucketRate, now: number): Taken {
  fill(bucket, rate, now);
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return { kind: "taken" };
  }
  const nextTokenAt = now + (1 - bucket.tokens) / rate.perMs;
  const promised = Math.max(nextTokenAt, bucket.promisedUntil + 1 / rate.perMs);
  bucket.promisedUntil = Math.min(promised, now + promiseMsMax);
  return { kind: "empty", retryAfterMs: Math.ceil(bucket.promisedUntil - now) };
}

/** Whether a token is there; takes none and promises nothing. */
export function hasToken(bucket: TokenBucket, rate: BucketRate, now: number): boolean {
  fill(bucket, rate, now);
  return bucket.tokens >= 1;
}

/** Takes a token that may not be there yet: who was let in pays, and those after wait the longer. */
export function chargeToken(bucket: TokenBucket, rate: BucketRate, now: number): void {
  fill(bucket, rate, now);
  bucket.tokens -= 1;
}

export function giveToken(bucket: TokenBucket, rate: BucketRate, now: number): void {
  fill(bucket, rate, now);
  bucket.tokens = Math.min(rate.burst, bucket.tokens + 1);
}

/** Full, and nobody was told to come later: forgetting it changes nothing. */
export function isIdle(bucket: TokenBucket, rate: BucketRate, now: number): boolean {
  fill(bucket, rate, now);
  return bucket.tokens >= rate.burst && bucket.promisedUntil <= now;
}

function fill(bucket: TokenBucket, { burst, perMs }: BucketRate, now: number): void {
  // A bucket whose burst was raised for a while keeps no more than it has now.
  bucket.tokens = Math.min(burst, bucket.tokens + Math.max(0, now - bucket.filledAt) * perMs);
  bucket.filledAt = Math.max(bucket.filledAt, now);
}
