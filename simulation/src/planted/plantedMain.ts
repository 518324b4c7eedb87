/**
 * `npm run sim:planted`: plants each bug of the list, runs the simulation's seeds with it until one catches it, and says
 * by which invariant, and after how many; then the seeds that caught one without any bug.
 *
 * Exit 0: all were caught, and the unmodified code passed every seed. 1: one was not, or it did not. 2: a wrong flag.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { appendLedger, currentCommit } from "../ledger.ts";
import type { Bug } from "./bug.ts";
import { bugs as seen } from "./bugs.ts";
import { readHints, recordHints } from "./hintsShell.ts";
import { tableOf, type Verdict } from "./outcome.ts";
import { runPlanted } from "./plantedShell.ts";
import { unseen } from "./unseen.ts";

const seedsMax = 2_000;
const usage = `npm run sim:planted -- [flags]
  --only A,B     these bugs only, by id
  --least N      seeds that each bug gets, though it was caught before (1)
  --most N       seeds after which a bug counts as not caught, 1 to ${seedsMax} (${seedsMax})
  --from N       the first seed (1)
  --record       keeps which seed caught each bug, to begin with it next time
  --workers N    processes at once (as many as processors)
  --unseen       the bugs that nobody could see, in the place of the others
  --ledger       appends a row to docs/trust.md
  --list         says what is wrong with each bug, and runs nothing
`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = flags();
  if (typeof asked === "string") {
    process.stderr.write(`${asked}\n${usage}`);
    return 2;
  }
  if (asked.list) {
    for (const { id, what, knownAs } of asked.bugs)
      say(`${id}: ${what}${knownAs === undefined ? "" : ` (${knownAs})`}`);
    return 0;
  }
  const began = performance.now();
  const { verdicts, clean } = await runPlanted({
    ...asked,
    hints: readHints(),
    heard: (verdict) => {
      const { bug, caught, firstSeed, message, trouble } = verdict;
      // At once: a run that is broken off has not been for nothing.
      if (asked.record) recordHints([verdict]);
      const where = firstSeed === undefined ? "" : ` (seed ${firstSeed})`;
      say(
        `${caught > 0 ? "caught" : "MISSED"} ${bug.id}${where}: ${trouble ?? message ?? "nothing was wrong in any seed"}`,
      );
    },
  });
  say("");
  for (const line of tableOf(verdicts)) say(line);
  const failures = clean.outcomes.filter(({ failure }) => failure !== undefined);
  say(`unmodified code: ${clean.outcomes.length - failures.length} of ${clean.outcomes.length} seeds passed`);
  for (const { seed, failure } of failures) say(`! seed ${seed}: ${failure?.message}`);
  if (clean.trouble !== undefined) say(`! ${clean.trouble}`);
  if (!asked.isUnseen) for (const { id, unseen: why } of unseen) say(`not on the list: ${id}, because ${why}`);
  const tookMs = performance.now() - began;
  say(`${Math.round(tookMs / 1_000)} s on ${asked.workers} workers`);
  // What the unmodified code does not pass proves nothing, and is no row.
  const isClean = failures.length === 0 && clean.trouble === undefined;
  if (asked.ledger && isClean) record(verdicts, tookMs);
  return isClean && verdicts.every(({ caught, trouble }) => caught > 0 && trouble === undefined) ? 0 : 1;
}

function record(verdicts: readonly Verdict[], tookMs: number): void {
  appendLedger({
    command: "planted",
    commit: currentCommit(),
    minutes: tookMs / 60_000,
    plantedCaught: `${verdicts.filter(({ caught }) => caught > 0).length} of ${verdicts.length}`,
    ...{ lost: 0, repeated: 0, reordered: 0, phantom: 0, silentGaps: 0 },
  });
}

interface Asked {
  readonly bugs: readonly Bug[];
  readonly least: number;
  readonly most: number;
  readonly firstSeed: number;
  readonly workers: number;
  readonly list: boolean;
  /** Whether docs/trust.md gets a row. */
  readonly ledger: boolean;
  readonly record: boolean;
  /** The bugs are those that nobody could see. */
  readonly isUnseen: boolean;
}

/** What was asked for, or what is wrong with it. */
function flags(): Asked | string {
  let given: ReturnType<typeof parse>;
  try {
    given = parse();
  } catch (error) {
    return (error as Error).message;
  }
  const { only, list } = given;
  const bugs: readonly Bug[] = given.unseen ? unseen : seen;
  const ids = only?.split(",") ?? bugs.map(({ id }) => id);
  const unknown = ids.find((id) => !bugs.some((bug) => bug.id === id));
  if (unknown !== undefined) return `--only: there is no planted bug "${unknown}"; --list names them`;
  const [least, most, firstSeed, workers] = [given.least, given.most, given.from, given.workers].map(Number);
  if (!isWithin(most, 1, seedsMax)) return `--most ${given.most}: 1 to ${seedsMax}`;
  if (!isWithin(least, 1, most)) return `--least ${given.least}: 1 to --most (${most})`;
  if (!isWithin(firstSeed, 1, Number.MAX_SAFE_INTEGER)) return `--from ${given.from}: a whole number from 1`;
  if (!isWithin(workers, 1, 64)) return `--workers ${given.workers}: 1 to 64`;
  return {
    bugs: bugs.filter(({ id }) => ids.includes(id)),
    least,
    most,
    firstSeed,
    workers,
    list,
    ledger: given.ledger,
    record: given.record,
    isUnseen: given.unseen,
  };
}

function isWithin(value: number | undefined, least: number, most: number): value is number {
  return value !== undefined && Number.isInteger(value) && value >= least && value <= most;
}

function parse() {
  return parseArgs({
    options: {
      only: { type: "string" },
      least: { type: "string", default: "1" },
      most: { type: "string", default: String(seedsMax) },
      from: { type: "string", default: "1" },
      workers: { type: "string", default: String(availableParallelism()) },
      unseen: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      ledger: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
    },
  }).values;
}
