/** Tokens of principals and addresses: what a loop pays, and what a fleet that comes back does not (AD-1). */
import { describe, expect, it, test } from "vitest";
import { neighbourOf } from "../../src/admission/address.ts";
import { defaultAdmissionLimits } from "../../src/admission/limits.ts";
import { createOpeningBuckets, peakMs, provenMs } from "../../src/admission/openingBuckets.ts";
import { chargeToken, fullBucket, giveToken, hasToken, isIdle, takeToken } from "../../src/admission/tokenBucket.ts";

const rate = { burst: 3, perMs: 1 / 1_000 };
const minute = 60_000;

describe("a token bucket", () => {
  it("[AD-1] gives its burst, then one at its rate", () => {
    const bucket = fullBucket(rate, 0);
    expect([1, 2, 3].map(() => takeToken(bucket, rate, 0).kind)).toEqual(["taken", "taken", "taken"]);
    expect(takeToken(bucket, rate, 0)).toEqual({ kind: "empty", retryAfterMs: 1_000 });
    expect(takeToken(bucket, rate, 1_000).kind).toBe("taken");
    expect(takeToken(bucket, rate, 1_000).kind).toBe("empty");
  });

  it("[CL-4] promises one after the other, and no further away than a client reads", () => {
    const bucket = fullBucket({ ...rate, burst: 0 }, 0);
    const promised = Array.from({ length: 1_000 }, () => takeToken(bucket, { ...rate, burst: 1 }, 0));
    expect(promised.slice(0, 3)).toEqual([1, 2, 3].map((n) => ({ kind: "empty", retryAfterMs: n * 1_000 })));
    expect(promised.at(-1)).toEqual({ kind: "empty", retryAfterMs: 300_000 });
  });

  it("never holds more than its burst, may owe, and is idle when nothing depends on it", () => {
    const bucket = fullBucket(rate, 0);
    giveToken(bucket, rate, 0);
    expect(bucket.tokens).toBe(3);
    expect(isIdle(bucket, rate, 0)).toBe(true);
    for (let charged = 0; charged < 5; charged += 1) chargeToken(bucket, rate, 0);
    expect([hasToken(bucket, rate, 0), bucket.tokens]).toEqual([false, -2]);
    expect(isIdle(bucket, rate, 4_999)).toBe(false);
    expect(isIdle(bucket, rate, 5_001)).toBe(true);
    // A clock that stands still or goes back gives nothing.
    for (const at of [5_001, 1_000, 5_001]) expect(takeToken(bucket, rate, at).kind).toBe("taken");
    expect(takeToken(bucket, rate, 5_001).kind).toBe("empty");
  });
});

describe("the buckets of a node", () => {
  it("[AD-1] a loop of successful openings gets 60 and then 10 a minute", () => {
    const buckets = createOpeningBuckets(defaultAdmissionLimits);
    let opened = 0;
    // One attempt each 100 ms for 10 minutes, each connection closed at once.
    for (let now = 0; now < 10 * minute; now += 100) {
      if (buckets.takeOfPrincipal("p", now).kind !== "taken") continue;
      opened += 1;
      buckets.principalHolds("p", 1, now);
      buckets.principalLost("p", 10, now);
    }
    expect(opened).toBeGreaterThanOrEqual(155);
    expect(opened).toBeLessThanOrEqual(160);
  });

  it("[AD-1] whoever held many for long brings them all back at once", () => {
    const limits = { ...defaultAdmissionLimits, openingsPerPrincipalBurst: 60 };
    const buckets = createOpeningBuckets(limits);
    let now = 0;
    for (let held = 1; held <= 300; held += 1) {
      // As fast as the minute's tokens allow.
      while (buckets.takeOfPrincipal("p", now).kind !== "taken") now += 6_000;
      buckets.principalHolds("p", held, now);
    }
    now += provenMs;
    for (let lost = 0; lost < 300; lost += 1) buckets.principalLost("p", provenMs, now);
    const back = Array.from({ length: 300 }, () => buckets.takeOfPrincipal("p", now).kind);
    expect(back.filter((kind) => kind === "taken")).toHaveLength(300);
    // The peak counts for 5 minutes only.
    now += peakMs + 60 * minute;
    const later = Array.from({ length: 300 }, () => buckets.takeOfPrincipal("p", now).kind);
    expect(later.filter((kind) => kind === "taken")).toHaveLength(60);
  });

  it("[AD-1] an address pays for what does not get to welcome, and for nothing else", () => {
    const buckets = createOpeningBuckets(defaultAdmissionLimits);
    for (let opening = 0; opening < 5_000; opening += 1) {
      buckets.chargeAddress("good", 0);
      buckets.giveToAddress("good", 0);
    }
    expect(buckets.hasOfAddress("good", 0)).toBe(true);
    let admitted = 0;
    for (let now = 0; now < 10_000; now += 1) {
      if (!buckets.hasOfAddress("bad", now)) continue;
      buckets.chargeAddress("bad", now);
      admitted += 1;
    }
    expect(admitted).toBeOneOf([399, 400]);
  });

  it("[AD-1] idle buckets are dropped; memory is bounded whoever comes", () => {
    const buckets = createOpeningBuckets(defaultAdmissionLimits);
    for (let one = 0; one < 100_000; one += 1) buckets.takeOfPrincipal(`p${one}`, one);
    expect(buckets.size).toBeLessThanOrEqual(20_000);
    const size = buckets.size;
    buckets.dropIdle(0);
    expect(buckets.size).toBe(size);
    buckets.takeOfPrincipal("last", 60 * minute);
    // A thousand of each kind at a look, so that no look takes long.
    for (let look = 0; look <= size / 1_000; look += 1) buckets.dropIdle(60 * minute);
    expect(buckets.size).toBe(1);
  });
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:192.0.2.1", "192.0.2.1"],
  ["2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"],
  ["2001:0DB8::1:2:3:4", "2001:db8:0:0::/64"],
  ["2001:db8::", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["unknown", "unknown"],
])("[AD-1] the address %s counts as %s", (address, neighbour) => {
  expect(neighbourOf(address)).toBe(neighbour);
});
