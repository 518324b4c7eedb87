/**
 * What counts as wrong, and that a calm day has nothing of it.
 *
 * Seen red: with failures counted by address alone and whole, with expected ends counted as short, with a share of a handful judged, with old failures counted, and with
 * the store's errors told beside its outage.
 */
import { closeCodes } from "@holdfast/protocol";
import { expect, it } from "vitest";
import { type AlertFacts, alertsOf } from "../../src/observe/alertRules.ts";
import { createFailureSpan } from "../../src/observe/failureSpan.ts";
import { record } from "../support/record.ts";

const now = 600_000;
const calm: AlertFacts = {
  now,
  storeDownSince: undefined,
  storeFailingMs: 0,
  stormFactor: 1,
  loopDelayMs: 3,
  lately: Array.from({ length: 20 }, () => record),
};
const of = (facts: Partial<AlertFacts>) => alertsOf({ ...calm, ...facts });
const short = { ...record, at: now - 9_000, durationMs: 4_000, code: closeCodes.internal };
const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

it("finds nothing on a calm day, nor just below each limit", () => {
  expect(of({})).toEqual([]);
  expect(of({ lately: [] })).toEqual([]);
  expect(of({ storeFailingMs: 59_999, stormFactor: 2, loopDelayMs: 250 })).toEqual([]);
  expect(of({ lately: [...times(16, record), ...times(4, short)] })).toEqual([]);
  expect(of({ lately: times(9, short) })).toEqual([]);
  expect(of({ lately: [...times(10, record), ...times(10, { ...short, expected: true })] })).toEqual([]);
});

it.each([
  [{ storeDownSince: 0 }, ["store_down"]],
  [{ storeDownSince: 0, storeFailingMs: 120_000 }, ["store_down"]],
  [{ storeFailingMs: 120_000 }, ["store_errors"]],
  [{ stormFactor: 2.1 }, ["storm"]],
  [{ loopDelayMs: 251 }, ["loop_delay"]],
  [{ lately: [...times(15, record), ...times(5, short)] }, ["short_connections"]],
  [{ lately: [{ ...record, errors: { internal: 1 } }] }, ["internal_errors"]],
  [{ stormFactor: 9, storeDownSince: 0 }, ["store_down", "storm"]],
] as const)("%j is %j", (facts, ids) => {
  expect(of(facts).map(({ id }) => id)).toEqual(ids);
});

it("names values in its sentences", () => {
  expect(of({ lately: [...times(20, record), ...times(10, short)] })[0]?.sentence).toBe(
    "10 of 30 connections that ended in 5 minutes lived less than 60 s, most with code 1011.",
  );
  expect(of({ storeDownSince: 0 })[0]?.sentence).toBe(
    "The database does not answer since 1970-01-01T00:00:00.000Z: nobody is closed, and nothing new is stored.",
  );
});

it("[F01] counts failed openings of one user or address, of the last minute only", () => {
  const failed = {
    ...record,
    phases: {},
    durationMs: 100,
    at: now - 5_000,
    code: closeCodes.unauthenticated,
    expected: true,
  };
  expect(of({ lately: times(3, failed) })).toEqual([]);
  expect(of({ lately: times(4, failed) })).toMatchObject([
    { id: "failed_openings", sentence: "4 openings from 192.0.2.7 failed in the last minute." },
  ]);
  expect(of({ lately: times(4, { ...failed, at: now - 70_000 }) })).toEqual([]);
  const from = (addresses: (index: number) => string, who = {}) =>
    of({ lately: times(8, failed).map((one, index) => ({ ...one, ...who, address: addresses(index) })) });
  expect(from((index) => `192.0.2.${index}`)).toEqual([]);
  // One person, wherever they knock; one network of IPv6, whichever of its addresses.
  expect(from((index) => `192.0.2.${index}`, { user: "user-1", userName: "Ada" })[0]?.sentence).toBe(
    "8 openings from Ada (user-1) failed in the last minute.",
  );
  expect(from((index) => `2001:db8:0:1::${index}`)[0]?.sentence).toBe(
    "8 openings from 2001:db8:0:1::/64 failed in the last minute.",
  );
});

it("a span of failures begins with the first and ends with a quiet time", () => {
  const span = createFailureSpan();
  expect(span.lengthAt(5_000)).toBe(0);
  for (let at = 10_000; at <= 90_000; at += 20_000) span.failed(at);
  expect(span.lengthAt(90_000)).toBe(80_000);
  expect(span.lengthAt(120_000)).toBe(110_000);
  expect(span.lengthAt(120_001)).toBe(0);
  span.failed(200_000);
  expect(span.lengthAt(200_000)).toBe(0);
});
