/** Group commit: how long operations gather, on a clock that the test moves. */
import type { Log } from "@holdfast/server";
import { describe, expect, it } from "vitest";
import type { Operation } from "../../src/store/port.ts";
import { batchMsAimed, createCommitSize, operationsMax, operationsMin } from "../../src/streams/commitSize.ts";
import { type Committer, createCommitter } from "../../src/streams/committer.ts";
import { commitWindowMs, windowMsMax, windowMsMin } from "../../src/streams/commitWindow.ts";
import { createSimClock, type SimClock } from "../support/simClock.ts";

const quiet = (): void => {};
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const probe: Operation = { kind: "probe" };

describe("the window before a commit", () => {
  it("is the least one where a fan-out is cheap, and twice a dear one, at most 25 ms", () => {
    expect(commitWindowMs(0.3, 0)).toBe(windowMsMin);
    expect(commitWindowMs(4, 0)).toBe(8);
    expect(commitWindowMs(400, 0)).toBe(windowMsMax);
  });

  it("stays the least one after a commit that was no longer than it", () => {
    expect(commitWindowMs(0.3, windowMsMin)).toBe(windowMsMin);
  });

  it("is shorter by what a commit took longer, and none after a stall", () => {
    expect(commitWindowMs(0.3, windowMsMin + 0.5)).toBe(windowMsMin - 0.5);
    expect(commitWindowMs(0.3, 50)).toBe(0);
    expect(commitWindowMs(8, 6)).toBe(10);
  });
});

describe("a committer", () => {
  it("gathers what comes within the window into one batch", async () => {
    const { clock, committer, batches } = world(() => 0);
    void committer.run(probe);
    await clock.advance(windowMsMin - 1);
    void committer.run(probe);
    expect(batches).toEqual([]);
    await clock.advance(1);
    expect(batches).toEqual([{ at: windowMsMin, operations: 2 }]);
  });

  it("commits what came during a stalled commit at once when that ends", async () => {
    const stallMs = 40;
    const { clock, committer, batches } = world((batch) => (batch === 0 ? stallMs : 0));
    void committer.run(probe);
    await clock.advance(windowMsMin + 1);
    void committer.run(probe);
    await clock.advance(stallMs);
    expect(batches).toEqual([
      { at: windowMsMin, operations: 1 },
      { at: windowMsMin + stallMs, operations: 1 },
    ]);
  });

  it("gives what came at the end of a stalled commit the whole window", async () => {
    const stallMs = 40;
    const { clock, committer, batches } = world((batch) => (batch === 0 ? stallMs : 0));
    void committer.run(probe);
    await clock.advance(windowMsMin + stallMs - 1);
    void committer.run(probe);
    await clock.advance(2 * windowMsMin);
    expect(batches[1]).toEqual({ at: 2 * windowMsMin + stallMs, operations: 1 });
  });
});

describe("the size of a batch", () => {
  it("[AD-2] follows a store that becomes slow, so that batches end within its deadline, and comes back", async () => {
    let slow = true;
    const perOperationMs = 200;
    const { clock, committer, batches } = world((_, operations) => (slow ? operations * perOperationMs : 1));
    let answered = 0;
    for (let operation = 0; operation < 1_500; operation += 1) void committer.run(probe).then(() => (answered += 1));
    await clock.advance(600_000);
    expect(answered).toBe(1_500);
    const sizes = batches.map(({ operations }) => operations);
    expect(sizes[0]).toBe(operationsMax);
    for (const operations of sizes.slice(1)) expect(operations * perOperationMs).toBeLessThanOrEqual(4_000);

    slow = false;
    batches.length = 0;
    for (let operation = 0; operation < 3_000; operation += 1) void committer.run(probe);
    await clock.advance(1_000);
    expect(batches.at(-2)?.operations).toBeGreaterThan(500);
  });

  it("shrinks after a batch that failed late, and not after one that was refused at once", () => {
    const size = createCommitSize();
    size.ended(1_000, 1, false);
    expect(size.operations).toBe(operationsMax);
    for (let failed = 0; failed < 9; failed += 1) size.ended(size.operations, 10_000, false);
    expect(size.operations).toBe(operationsMin);
  });

  it("does not grow while batches take about as long as they should", () => {
    const size = createCommitSize();
    size.ended(1_000, 30_000, true);
    expect(size.operations).toBe(100);
    size.ended(100, batchMsAimed, true);
    expect(size.operations).toBe(100);
    size.ended(100, batchMsAimed / 10, true);
    expect(size.operations).toBe(200);
  });
});

interface Batch {
  /** Monotonic ms. */
  readonly at: number;
  readonly operations: number;
}

/** A store that takes what `tookMs` says for each batch. */
function world(tookMs: (batch: number, operations: number) => number): {
  clock: SimClock;
  committer: Committer;
  batches: Batch[];
} {
  const clock = createSimClock();
  const batches: Batch[] = [];
  const committer = createCommitter({
    clock,
    log,
    deliver: () => {},
    store: {
      commit: async (batch) => {
        const ms = tookMs(batches.length, batch.length);
        batches.push({ at: clock.monotonic(), operations: batch.length });
        if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
        return { outcomes: batch.map(() => ({ ok: true, value: null })), appended: [], faults: [] };
      },
    },
  });
  return { clock, committer, batches };
}
