/** The breaker's table, and what counts as a failure of the store (AD-2). */
import { ProtocolError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { type BreakerEvent, type BreakerState, closedBreaker, stepBreaker } from "../../src/admission/breaker.ts";
import { isOutage, StoreLost } from "../../src/store/outage.ts";

const limits = { storeFailuresMax: 3, storeProbeEveryMs: 5_000 };
const open = { kind: "open", since: 100, probeAt: 5_100, probing: false } as const;
const closed = (read: number, write: number): BreakerState => ({ kind: "closed", failures: { read, write } });
const failed = (lane: "read" | "write"): BreakerEvent => ({ kind: "failed", lane, now: 100 });

describe("the breaker", () => {
  it.each<[string, BreakerState, BreakerEvent, BreakerState]>([
    ["a first failure counts", closed(0, 0), failed("read"), closed(1, 0)],
    ["lanes count apart", closed(2, 0), failed("write"), closed(2, 1)],
    ["the third in a row opens", closed(0, 2), failed("write"), open],
    ["a success begins anew", closed(2, 2), { kind: "succeeded", lane: "read" }, closed(0, 2)],
    ["a success of the other lane proves nothing", closed(0, 2), { kind: "succeeded", lane: "read" }, closed(0, 2)],
    ["a late failure changes nothing", open, failed("read"), open],
    ["a late success changes nothing", open, { kind: "succeeded", lane: "write" }, open],
    ["a probe is one", open, { kind: "probeBegan" }, { ...open, probing: true }],
    [
      "a probe that succeeds closes",
      { ...open, probing: true },
      { kind: "probeEnded", ok: true, now: 5_101 },
      closedBreaker,
    ],
    [
      "a probe that fails is made again 5 s after it began",
      { ...open, probing: true },
      { kind: "probeEnded", ok: false, now: 7_100 },
      { ...open, probeAt: 10_100 },
    ],
    ["no probe of a closed one", closed(1, 0), { kind: "probeBegan" }, closed(1, 0)],
    ["a probe of a closed one says nothing", closed(1, 0), { kind: "probeEnded", ok: false, now: 1 }, closed(1, 0)],
  ])("[AD-2] %s", (_title, state, event, after) => {
    expect(stepBreaker(state, event, limits)).toEqual(after);
  });
});

describe("a failure of the store", () => {
  const coded = (code: string): Error => Object.assign(new Error("x"), { code });
  const sqlite = (errcode: number): Error => Object.assign(new Error("x"), { code: "ERR_SQLITE_ERROR", errcode });

  it.each<[string, unknown, boolean]>([
    ["a lost connection", new StoreLost("gone"), true],
    ["a refused connection", coded("ECONNREFUSED"), true],
    ["SQLSTATE 08006", coded("08006"), true],
    ["SQLSTATE 53300, too many connections", coded("53300"), true],
    ["SQLSTATE 57P01, the database stops", coded("57P01"), true],
    ["SQLSTATE 58030, its disk", coded("58030"), true],
    ["SQLite's IOERR, extended", sqlite(10 | (3 << 8)), true],
    ["SQLite's FULL", sqlite(13), true],
    ["SQLite's CANTOPEN", sqlite(14), true],
    ["SQLite's BUSY, a wait that ran out", sqlite(5), true],
    ["what it caused", new ProtocolError("store_unavailable", "x", { cause: sqlite(13) }), true],
    ["SQLSTATE 42P01, a missing table", coded("42P01"), false],
    ["SQLSTATE 42501, a refused permission", coded("42501"), false],
    ["SQLSTATE 23505, a constraint", coded("23505"), false],
    ["SQLite's CONSTRAINT", sqlite(19), false],
    ["SQLite's CORRUPT", sqlite(11), false],
    ["a row that does not parse", new SyntaxError("x"), false],
    ["a refusal of a handler", new ProtocolError("conflict", "x"), false],
    ["nothing that is known", undefined, false],
    ["a text", "ECONNREFUSED", false],
    ["a database's socket that is not there", { code: "ENOENT", syscall: "connect" }, true],
    ["a file of an app's own that is not there", { code: "ENOENT", syscall: "open" }, false],
  ])("[AD-2] %s", (_title, error, counts) => {
    expect(isOutage(error)).toBe(counts);
  });

  it("[AD-2] ends its search in a circle of causes", () => {
    const error = new Error("x");
    error.cause = error;
    expect(isOutage(error)).toBe(false);
  });
});
