/**
 * The buckets of a node's openings: by principal and by address (AD-1).
 *
 * A principal pays for every opening and gets the token back for a connection that proved itself, so that
 * whoever held many at once may bring them all back, while a loop of successful openings is stopped. An address
 * gets it back at `welcome`: it pays for what does not get there. Life cycle of a bucket: made at the first
 * opening, dropped by the gateway's sweep when it is idle. Invariant: at most {@link bucketsMax} of each kind; the one that was used
 * longest ago gives way. It knows no sockets; time is passed in, monotonic ms.
 */
import type { AdmissionLimits } from "./limits.ts";
import {
  type BucketRate,
  chargeToken,
  fullBucket,
  giveToken,
  hasToken,
  isIdle,
  type Taken,
  type TokenBucket,
  takeToken,
} from "./tokenBucket.ts";

/** AD-1: for so long the most connections that a principal held at once raise its burst. */
export const peakMs = 300_000;
/** A connection that lived so long was no part of a loop: its opening's token comes back. */
export const provenMs = 60_000;
const bucketsMax = 20_000;
/** How many of each kind are looked at for idle ones at a time (some 0.1 ms), and uses between two looks. */
const looksMax = 1_000;
const tidyEvery = 256;

export interface OpeningBuckets {
  takeOfPrincipal(principal: string, now: number): Taken;
  /** Whether a principal may open now; costs nothing. */
  hasOfPrincipal(principal: string, now: number): boolean;
  /** It holds so many connections now. */
  principalHolds(principal: string, connections: number, now: number): void;
  /** One of its connections ended after `livedMs`. */
  principalLost(principal: string, livedMs: number, now: number): void;
  takeOfAddress(address: string, now: number): Taken;
  hasOfAddress(address: string, now: number): boolean;
  /** It was let in while it had one; of many that were let in at once, the last ones owe. */
  chargeAddress(address: string, now: number): void;
  /** An opening of it got to `welcome`. */
  giveToAddress(address: string, now: number): void;
  /** Drops idle ones, of those that were used longest ago. */
  dropIdle(now: number): void;
  /** For diagnostics and tests. */
  readonly size: number;
}

interface PrincipalBucket extends TokenBucket {
  /** The most connections held at once, and until when that counts. */
  peak: number;
  peakUntil: number;
}

export function createOpeningBuckets(limits: AdmissionLimits): OpeningBuckets {
  const principals = new Map<string, PrincipalBucket>();
  const addresses = new Map<string, TokenBucket>();
  let uses = 0;
  const perMs = limits.openingsPerPrincipalPerMinute / 60_000;
  const addressRate = { burst: limits.openingsPerAddressBurst, perMs: limits.openingsPerAddressPerSecond / 1_000 };

  const rateOf = ({ peak, peakUntil }: PrincipalBucket, now: number): BucketRate => ({
    burst: Math.max(limits.openingsPerPrincipalBurst, now < peakUntil ? peak : 0),
    perMs,
  });
  const drop = (now: number): void => {
    dropIdle(principals, now, (bucket) => rateOf(bucket, now));
    dropIdle(addresses, now, () => addressRate);
  };
  /** A flood does not wait for the sweep. */
  const tidy = (now: number): void => {
    uses += 1;
    if (uses % tidyEvery === 0) drop(now);
  };
  const principalOf = (principal: string, now: number): PrincipalBucket =>
    use(principals, principal, () => ({
      ...fullBucket({ burst: limits.openingsPerPrincipalBurst, perMs }, now),
      peak: 0,
      peakUntil: 0,
    }));
  const addressOf = (address: string, now: number): TokenBucket =>
    use(addresses, address, () => fullBucket(addressRate, now));

  return {
    takeOfPrincipal(principal, now) {
      tidy(now);
      const bucket = principalOf(principal, now);
      return takeToken(bucket, rateOf(bucket, now), now);
    },
    hasOfPrincipal(principal, now) {
      const bucket = principals.get(principal);
      return bucket === undefined || hasToken(bucket, rateOf(bucket, now), now);
    },
    principalHolds(principal, connections, now) {
      // Below the burst it raises nothing.
      if (connections <= limits.openingsPerPrincipalBurst) return;
      const bucket = principalOf(principal, now);
      if (connections < bucket.peak && now < bucket.peakUntil) return;
      bucket.peak = connections;
      bucket.peakUntil = now + peakMs;
    },
    principalLost(principal, livedMs, now) {
      const bucket = principals.get(principal);
      if (bucket !== undefined && livedMs >= provenMs) giveToken(bucket, rateOf(bucket, now), now);
    },
    takeOfAddress(address, now) {
      tidy(now);
      return takeToken(addressOf(address, now), addressRate, now);
    },
    hasOfAddress(address, now) {
      const bucket = addresses.get(address);
      return bucket === undefined || hasToken(bucket, addressRate, now);
    },
    chargeAddress(address, now) {
      tidy(now);
      chargeToken(addressOf(address, now), addressRate, now);
    },
    giveToAddress(address, now) {
      const bucket = addresses.get(address);
      if (bucket !== undefined) giveToken(bucket, addressRate, now);
    },
    dropIdle: drop,
    get size() {
      return principals.size + addresses.size;
    },
  };
}

/** Finds or makes; what was used last stands last. */
function use<Bucket>(buckets: Map<string, Bucket>, key: string, make: () => Bucket): Bucket {
  const bucket = buckets.get(key) ?? make();
  buckets.delete(key);
  buckets.set(key, bucket);
  if (buckets.size > bucketsMax) {
    // Only here: a map that lost many of its first keys is slow to name its first one.
    const [oldest] = buckets.keys();
    if (oldest !== undefined) buckets.delete(oldest);
  }
  return bucket;
}

/** Looks at those that were used longest ago. */
function dropIdle<Bucket extends TokenBucket>(
  buckets: Map<string, Bucket>,
  now: number,
  rateOf: (bucket: Bucket) => BucketRate,
): void {
  let looks = Math.min(looksMax, buckets.size);
  for (const [key, bucket] of buckets) {
    if (looks === 0) return;
    looks -= 1;
    if (isIdle(bucket, rateOf(bucket), now)) buckets.delete(key);
  }
}
