/**
 * Chance with a seed, and what a story reports of its runs.
 *
 * The seed is printed with every report; `E2E_SEED=<seed>` draws the same moments again. A run counts only
 * when its fault took effect; one that missed is drawn again, a bounded number of times.
 */
import { randomInt } from "node:crypto";
import { createDraw, hashOf } from "./random.ts";

export const seed = Number(process.env["E2E_SEED"] || randomInt(2 ** 32));

/** Numbers in [0, 1), the same for the same seed and name. */
export function makeRandom(name: string): () => number {
  return createDraw(seed ^ hashOf(name));
}

/** What one run of a story saw. */
export interface RunReport {
  readonly lines: number;
  /** Whether the fault fell into the output; one that missed does not count. */
  readonly tookEffect: boolean;
  /** The longest time without a new line on the page, while lines were still to come. */
  readonly pauseMs: number;
}

export interface StoryOptions {
  readonly name: string;
  readonly runs: number;
  /** How many runs go on side by side; each has all that it needs for itself. */
  readonly lanes: number;
  /** How many may miss before the story fails. */
  readonly missesMax: number;
}

/** Runs a story until its fault has taken effect `runs` times, and prints what was seen. */
export async function tellStory(
  options: StoryOptions,
  run: (random: () => number) => Promise<RunReport>,
): Promise<void> {
  const counted: RunReport[] = [];
  let begun = 0;
  let misses = 0;
  const lane = async (): Promise<void> => {
    while (begun - misses < options.runs) {
      begun += 1;
      const report = await run(makeRandom(`${options.name} ${begun}`));
      if (report.tookEffect) {
        counted.push(report);
        continue;
      }
      misses += 1;
      if (misses > options.missesMax) {
        throw new Error(
          `${options.name}: the fault missed ${misses} times (E2E_SEED=${seed}): draw its moment otherwise`,
        );
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: options.lanes }, lane));
  } catch (error) {
    throw new Error(`${options.name}: run again with E2E_SEED=${seed}`, { cause: error });
  }
  const pauses = counted.map(({ pauseMs }) => Math.round(pauseMs)).sort((a, b) => a - b);
  const lines = counted.reduce((total, report) => total + report.lines, 0);
  process.stdout.write(
    `story: ${options.name}: ${counted.length} runs, ${lines} lines each once and in order, ` +
      `${counted.length} faults took effect, ${misses} missed and not counted, ` +
      `longest pause ${pauses.at(-1)} ms (median ${pauses[Math.floor(pauses.length / 2)]} ms), E2E_SEED=${seed}\n`,
  );
}
