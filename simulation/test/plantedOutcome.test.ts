/** What is counted as caught: never a seed that the unmodified code does not pass. */
import { expect, test } from "vitest";
import type { Bug } from "../src/planted/bug.ts";
import { judgeBug, type SeedOutcome, tableOf } from "../src/planted/outcome.ts";

const bug: Bug = { id: "b", file: "f.ts", find: "x", replace: "y", what: "It is wrong.", madeBlind: true };
const failed = (seed: number, invariant: string): SeedOutcome => ({
  seed,
  failure: { invariant, message: `${invariant}: seed ${seed}` },
});
const passed = (seed: number): SeedOutcome => ({ seed, failure: undefined });
const runs = (...outcomes: readonly SeedOutcome[]) => ({ outcomes, trouble: undefined });

test("a bug is caught by the seeds that fail, named by their invariants, the first seed first", () => {
  const verdict = judgeBug(bug, runs(failed(3, "I1"), passed(1), failed(2, "I10"), failed(4, "I10")), new Set());
  expect(verdict).toMatchObject({ seeds: 4, caught: 3, firstSeed: 2, message: "I10: seed 2" });
  expect(verdict.invariants).toEqual([
    ["I10", 2],
    ["I1", 1],
  ]);
});

test("a seed that the unmodified code does not pass proves nothing", () => {
  expect(judgeBug(bug, runs(failed(1, "I1"), passed(2)), new Set([1]))).toMatchObject({ seeds: 1, caught: 0 });
});

test("the table says what was not caught, and by how many of the blind ones", () => {
  const seen = { ...bug, id: "seen", madeBlind: false };
  const lines = tableOf([
    judgeBug(bug, runs(passed(1)), new Set()),
    judgeBug(seen, runs(failed(1, "I4")), new Set()),
    judgeBug(seen, { outcomes: [], trouble: "its worker ended" }, new Set()),
  ]);
  expect(lines[0]).toMatch(/^\* b {4}.*0 of 1 .*NOT CAUGHT$/);
  expect(lines[1]).toMatch(/first in seed 1; by I4 1$/);
  expect(lines[2]).toMatch(/its worker ended$/);
  expect(lines[3]).toBe("1 of 3 planted bugs caught; of the 1 made blind (*) 0");
});
