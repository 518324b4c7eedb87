/**
 * `npm run sim`: runs seeds, or one kept plan, and says what was found. Exit code 0 where nothing was.
 *
 * A failing seed is run again watched, shortened, drawn as a sequence, and named by the command that runs it again.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type Asked, readCommandLine, UsageError } from "./campaign/commandLine.ts";
import { drawSequence } from "./campaign/sequence.ts";
import { shrink } from "./campaign/shrink.ts";
import { add, faultsOf, makeTally, missing, type Tally, table } from "./campaign/tally.ts";
import { appendLedger, currentCommit } from "./ledger.ts";
import { drawPlan } from "./plan/draw.ts";
import type { Plan } from "./plan/plan.ts";
import type { RunResult } from "./run.ts";
import { type Campaign, openCampaign } from "./shell/campaignShell.ts";

/** Failures that are shortened and drawn; a campaign that fails everywhere needs no more. */
const drawnMax = 3;
const attemptsMax = 300;
const folder = new URL("../regressions/", import.meta.url);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

try {
  process.exitCode = await main(readCommandLine(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function main(asked: Asked): Promise<number> {
  const campaign = openCampaign(asked.count === 1 ? 1 : asked.workers, asked.planted);
  try {
    if (asked.isEightHours) return await eightHours(campaign, asked.from);
    if (asked.plan !== undefined)
      return await onePlan(campaign, asked, JSON.parse(readFileSync(asked.plan, "utf8")) as Plan);
    return asked.count === 1 ? await onePlan(campaign, asked, drawPlan(asked.from)) : await many(campaign, asked);
  } finally {
    campaign.close();
  }
}

async function eightHours(campaign: Campaign, seed: number): Promise<number> {
  const { virtualHours, deliveries, connections, faults, early, late } = await campaign.eightHours(seed);
  say(`${virtualHours.toFixed(1)} virtual hours, ${deliveries} deliveries, ${connections} connections`);
  for (const [what, value] of Object.entries(late)) say(`  ${what}: ${early[what]} after an hour, ${value} at the end`);
  for (const fault of faults) say(fault);
  return faults.length === 0 ? 0 : 1;
}

async function onePlan(campaign: Campaign, asked: Asked, plan: Plan): Promise<number> {
  const result = await campaign.plan(plan, true);
  say(
    `seed ${result.seed}: fingerprint ${result.fingerprint}, ${result.virtualMs / 1_000} virtual seconds, ${result.events} events, ${result.deliveries} deliveries`,
  );
  if (result.failure === undefined) return 0;
  await explain(campaign, asked, plan, result);
  return 1;
}

async function many(campaign: Campaign, asked: Asked): Promise<number> {
  const tally = makeTally();
  const began = performance.now();
  await campaign.seeds(asked.from, asked.count, (result) => {
    add(tally, result);
    if (result.failure !== undefined) say(`seed ${result.seed}: ${result.failure.message}`);
    if (tally.seeds % 100 === 0) say(progress(tally));
  });
  say(`\n${table(tally)}\n`);
  say(`in ${((performance.now() - began) / 1_000).toFixed(0)} s on ${asked.workers} workers`);
  const lacks = asked.isWhole ? missing(tally) : [];
  for (const lack of lacks) say(lack);
  for (const result of tally.failures.slice(0, drawnMax)) await explain(campaign, asked, drawPlan(result.seed), result);
  if (tally.failures.length > 0)
    say(
      `\n${tally.failures.length} of ${tally.seeds} seeds failed: ${tally.failures.map(({ seed }) => seed).join(", ")}`,
    );
  if (asked.ledger) record(asked, tally);
  return tally.failures.length === 0 && lacks.length === 0 ? 0 : 1;
}

async function explain(campaign: Campaign, asked: Asked, plan: Plan, { failure }: RunResult): Promise<void> {
  if (failure === undefined) return;
  say(
    `\nseed ${plan.seed} breaks ${failure.invariant} after ${failure.at / 1_000} virtual seconds:\n  ${failure.message}`,
  );
  const fails = async (candidate: Plan): Promise<string | undefined> =>
    (await campaign.plan(candidate, false)).failure?.invariant;
  const short = await shrink(plan, failure.invariant, { fails, attemptsMax });
  const { failure: shown } = await campaign.plan(short, true);
  say(
    `\nshortened from ${plan.steps.length} steps and ${plan.people.length} people to ${short.steps.length} and ${short.people.length}: ${shown?.message ?? "it does not fail any more"}`,
  );
  for (const step of short.steps) say(`  ${JSON.stringify(step)}`);
  say(`\n${drawSequence(shown?.lines ?? [])}`);
  const planted = asked.planted === undefined ? "" : ` --planted ${asked.planted}`;
  say(`\nrun it again: npm run sim -- --seed ${plan.seed}${planted}`);
  if (asked.keep === undefined) return;
  const file = new URL(`${asked.keep}.json`, folder);
  writeFileSync(file, `${JSON.stringify(short, null, 2)}\n`);
  say(`kept as simulation/regressions/${asked.keep}.json`);
}

function progress(tally: Tally): string {
  return `${tally.seeds} seeds, ${tally.deliveries.toLocaleString("en")} deliveries, ${faultsOf(tally).toLocaleString("en")} faults`;
}

function record({ from, count }: Asked, tally: Tally): void {
  const harms = { lost: 0, repeated: 0, reordered: 0, phantom: 0, silentGaps: 0 };
  for (const { failure } of tally.failures) if (failure?.harm !== undefined) harms[failure.harm] += 1;
  appendLedger({
    command: "sim",
    commit: currentCommit(),
    seeds: `${from}–${from + count - 1}`,
    virtualHours: tally.virtualMs / 3_600_000,
    deliveries: tally.deliveries,
    faults: faultsOf(tally),
    ...harms,
    missed: tally.failures.length,
  });
}
