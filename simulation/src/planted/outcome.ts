/**
 * What became of planted bugs, from what became of single seeds. Pure.
 *
 * Invariant: a seed that the unmodified code does not pass proves nothing about a bug, and is counted for none.
 */
import type { RunResult } from "../run.ts";
import type { Bug } from "./bug.ts";

/** One run of one seed: where it failed, if it did. */
export type SeedOutcome = Pick<RunResult, "seed"> & {
  readonly failure: { readonly invariant: string; readonly message: string } | undefined;
};

/** All runs with one bug. */
export interface SeedRuns {
  readonly outcomes: readonly SeedOutcome[];
  /** Why it ended before it was done. */
  readonly trouble: string | undefined;
}

export interface Verdict {
  readonly bug: Bug;
  readonly seeds: number;
  /** Seeds that caught it. */
  readonly caught: number;
  /** By how many of those, the most frequent first. */
  readonly invariants: readonly (readonly [invariant: string, seeds: number])[];
  readonly firstSeed: number | undefined;
  /** Of the first catch. */
  readonly message: string | undefined;
  readonly trouble: string | undefined;
}

/** @param unsound seeds that the unmodified code does not pass */
export function judgeBug(bug: Bug, { outcomes, trouble }: SeedRuns, unsound: ReadonlySet<number>): Verdict {
  const sound = outcomes.filter(({ seed }) => !unsound.has(seed));
  const failures = sound.flatMap(({ seed, failure }) => (failure === undefined ? [] : [{ seed, ...failure }]));
  const counts = new Map<string, number>();
  for (const { invariant } of failures) counts.set(invariant, (counts.get(invariant) ?? 0) + 1);
  const [first] = failures.sort((one, other) => one.seed - other.seed);
  return {
    bug,
    seeds: sound.length,
    caught: failures.length,
    invariants: [...counts].sort((one, other) => other[1] - one[1]),
    firstSeed: first?.seed,
    message: first?.message,
    trouble,
  };
}

/** One line for each bug, aligned, and what they come to. */
export function tableOf(verdicts: readonly Verdict[]): string[] {
  const width = Math.max(0, ...verdicts.map(({ bug }) => bug.id.length));
  const lines = verdicts.map(({ bug, seeds, caught, invariants, firstSeed, trouble }) => {
    const by = invariants.map(([invariant, times]) => `${invariant} ${times}`).join(", ");
    const end = trouble ?? (caught === 0 ? "NOT CAUGHT" : `first in seed ${firstSeed}; by ${by}`);
    const count = `${String(caught).padStart(4)} of ${String(seeds).padEnd(4)}`;
    return `${bug.madeBlind ? "*" : " "} ${bug.id.padEnd(width)}  ${count}  ${end}`;
  });
  const blind = verdicts.filter(({ bug }) => bug.madeBlind);
  const countCaught = (some: readonly Verdict[]): number => some.filter(({ caught }) => caught > 0).length;
  return [
    ...lines,
    `${countCaught(verdicts)} of ${verdicts.length} planted bugs caught; of the ${blind.length} made blind (*) ${countCaught(blind)}`,
  ];
}
