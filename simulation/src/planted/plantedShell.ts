/**
 * Runs the seeds of planted bugs: a worker process for each bug, as many at once as there are processors, and then the
 * unmodified code over the same seeds.
 *
 * Life cycle: every bug over `least` seeds, then on until it is caught, `most` at most → the unmodified code over
 * every seed that any of them ran. Invariant: no worker outlives its bug.
 */
import { openCampaign } from "../shell/campaignShell.ts";
import type { Bug } from "./bug.ts";
import { judgeBug, type SeedOutcome, type SeedRuns, type Verdict } from "./outcome.ts";

/** Seeds that a bug gets at once, after its first: so many may follow the one that catches it. */
const seedsAtOnce = 10;

export interface PlantedOptions {
  readonly bugs: readonly Bug[];
  readonly workers: number;
  readonly firstSeed: number;
  /** Seeds that each bug gets, caught or not. */
  readonly least: number;
  /** Seeds after which a bug is not caught. */
  readonly most: number;
  /** Hears of each bug when it is done; seeds that the unmodified code does not pass are not left out yet. */
  readonly heard: (verdict: Verdict) => void;
}

export interface PlantedReport {
  readonly verdicts: readonly Verdict[];
  /** The unmodified code over all those seeds. */
  readonly clean: SeedRuns;
}

export async function runPlanted(options: PlantedOptions): Promise<PlantedReport> {
  const { bugs, workers, firstSeed } = options;
  const runs = new Map<Bug, SeedRuns>();
  const waiting = [...bugs];
  const work = async (): Promise<void> => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const run = await runBug(bug, options);
      runs.set(bug, run);
      options.heard(judgeBug(bug, run, new Set()));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const seeds = Math.max(0, ...[...runs.values()].map(({ outcomes }) => outcomes.length));
  const clean = await runSeeds(workers, undefined, async (ask) => ask(firstSeed, seeds));
  const failed = clean.outcomes.filter(({ failure }) => failure !== undefined);
  const unsound = new Set(failed.map(({ seed }) => seed));
  return { verdicts: [...runs].map(([bug, run]) => judgeBug(bug, run, unsound)), clean };
}

function runBug(bug: Bug, { firstSeed, least, most }: PlantedOptions): Promise<SeedRuns> {
  return runSeeds(1, bug.id, async (ask, outcomes) => {
    await ask(firstSeed, least);
    while (outcomes.length < most && outcomes.every(({ failure }) => failure === undefined))
      await ask(firstSeed + outcomes.length, Math.min(seedsAtOnce, most - outcomes.length));
  });
}

type Ask = (from: number, count: number) => Promise<void>;

/** What `run` asks for, of workers with this bug; a worker that dies ends it. */
async function runSeeds(
  workers: number,
  bug: string | undefined,
  run: (ask: Ask, outcomes: readonly SeedOutcome[]) => Promise<void>,
): Promise<SeedRuns> {
  const outcomes: SeedOutcome[] = [];
  const campaign = openCampaign(workers, bug);
  try {
    await run(
      (from, count) => campaign.seeds(from, count, ({ seed, failure }) => void outcomes.push({ seed, failure })),
      outcomes,
    );
    return { outcomes, trouble: undefined };
  } catch (error) {
    return { outcomes, trouble: (error as Error).message };
  } finally {
    campaign.close();
  }
}
