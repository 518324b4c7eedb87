/**
 * Runs the seeds of planted bugs: a worker process for each bug, as many at once as there are processors, and the
 * unmodified code over the seeds that caught one.
 *
 * Life cycle: every bug over its seeds, the hinted ones first, until one catches it → the unmodified code over the
 * seeds that did → a bug that was caught only by a seed that the unmodified code does not pass goes on with its other
 * seeds. Which seeds there are does not depend on the bug, only their order does: a hint saves time and proves
 * nothing. Invariant: no worker outlives its bug.
 */
import { openCampaign } from "../shell/campaignShell.ts";
import type { Bug } from "./bug.ts";
import type { Hints } from "./hintsShell.ts";
import { judgeBug, type SeedOutcome, type SeedRuns, type Verdict } from "./outcome.ts";

export interface PlantedOptions {
  readonly bugs: readonly Bug[];
  readonly workers: number;
  readonly firstSeed: number;
  /** Seeds that each bug gets, caught or not. */
  readonly least: number;
  /** Seeds after which a bug is not caught. */
  readonly most: number;
  /** Which seeds caught a bug before, and are tried first. */
  readonly hints: Hints;
  /** Hears of each bug when it is done; seeds that the unmodified code does not pass are not left out yet. */
  readonly heard: (verdict: Verdict) => void;
}

export interface PlantedReport {
  readonly verdicts: readonly Verdict[];
  /** The unmodified code over the seeds that caught a bug. */
  readonly clean: SeedRuns;
}

export async function runPlanted(options: PlantedOptions): Promise<PlantedReport> {
  const { bugs } = options;
  const runs = new Map<Bug, SeedRuns>();
  const cleanOutcomes: SeedOutcome[] = [];
  let trouble: string | undefined;
  const unsound = (): ReadonlySet<number> =>
    new Set(cleanOutcomes.flatMap(({ seed, failure }) => (failure === undefined ? [] : [seed])));
  const countOf = (bug: Bug): number => runs.get(bug)?.outcomes.length ?? 0;
  for (let waiting = bugs; waiting.length > 0 && trouble === undefined; ) {
    const before = new Map(waiting.map((bug) => [bug, countOf(bug)]));
    await runAll(waiting, runs, unsound(), options);
    const judged = new Set(cleanOutcomes.map(({ seed }) => seed));
    const caughtBy = new Set(waiting.flatMap((bug) => catchesOf(runs.get(bug))));
    const clean = await runClean(
      [...caughtBy].filter((seed) => !judged.has(seed)),
      options.workers,
    );
    cleanOutcomes.push(...clean.outcomes);
    trouble = clean.trouble;
    const broken = unsound();
    // Only a seed that the unmodified code does not pass has caught it: the others are to be asked, while there are any.
    waiting = waiting.filter((bug) => {
      const catches = catchesOf(runs.get(bug));
      return countOf(bug) > (before.get(bug) ?? 0) && catches.length > 0 && catches.every((seed) => broken.has(seed));
    });
  }
  const broken = unsound();
  const verdicts = bugs.map((bug) => judgeBug(bug, runs.get(bug) ?? none, broken));
  return { verdicts, clean: { outcomes: cleanOutcomes, trouble } };
}

const none: SeedRuns = { outcomes: [], trouble: undefined };

function catchesOf(run: SeedRuns | undefined): number[] {
  return (run?.outcomes ?? []).flatMap(({ seed, failure }) => (failure === undefined ? [] : [seed]));
}

/** Each of these bugs over the seeds that it has not had yet. */
async function runAll(
  bugs: readonly Bug[],
  runs: Map<Bug, SeedRuns>,
  unsound: ReadonlySet<number>,
  { workers, firstSeed, least, most, hints, heard }: PlantedOptions,
): Promise<void> {
  const waiting = [...bugs];
  const work = async (): Promise<void> => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const before = runs.get(bug) ?? none;
      const had = new Set([...before.outcomes.map(({ seed }) => seed), ...unsound]);
      const inOrder = Array.from({ length: most }, (_, index) => firstSeed + index);
      const hinted = (hints[bug.id] ?? []).filter((seed) => inOrder.includes(seed));
      const seeds = [...new Set([...hinted, ...inOrder])].filter((seed) => !had.has(seed));
      let isCaught = false;
      const run = await runSeeds(bug, seeds, ({ failure }, count) => {
        isCaught ||= failure !== undefined;
        return isCaught && count >= least;
      });
      const all = { outcomes: [...before.outcomes, ...run.outcomes], trouble: run.trouble };
      runs.set(bug, all);
      heard(judgeBug(bug, all, unsound));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}

/** These seeds without any bug, dealt to all workers. */
async function runClean(seeds: readonly number[], workers: number): Promise<SeedRuns> {
  const dealt = Array.from({ length: workers }, (_, worker) => seeds.filter((_seed, at) => at % workers === worker));
  const runs = await Promise.all(dealt.map((part) => runSeeds(undefined, part, () => false)));
  return {
    outcomes: runs.flatMap(({ outcomes }) => outcomes),
    trouble: runs.find(({ trouble }) => trouble !== undefined)?.trouble,
  };
}

/** These seeds with this bug, until `isEnough`; a worker that dies ends it. */
async function runSeeds(
  bug: Bug | undefined,
  seeds: readonly number[],
  isEnough: (outcome: SeedOutcome, count: number) => boolean,
): Promise<SeedRuns> {
  if (seeds.length === 0) return none;
  const outcomes: SeedOutcome[] = [];
  const campaign = openCampaign(1, bug?.id);
  try {
    await campaign.each(seeds, ({ seed, failure }) => {
      const outcome = { seed, failure };
      outcomes.push(outcome);
      return isEnough(outcome, outcomes.length);
    });
    return { outcomes, trouble: undefined };
  } catch (error) {
    return { outcomes, trouble: (error as Error).message };
  } finally {
    campaign.close();
  }
}
