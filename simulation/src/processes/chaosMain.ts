/**
 * `npm run chaos -- [--minutes 10] [--seed n] [--ledger]`: chaos with real processes, and what it found.
 *
 * Exits 0 where no invariant was broken and enough faults took effect, 1 otherwise, 2 for wrong use.
 */
import { randomInt } from "node:crypto";
import { appendLedger, currentCommit } from "../ledger.ts";
import { runChaos } from "./chaos.ts";
import { describeChaos, shortfallsOf } from "./chaosReport.ts";
import { readRunFlags } from "./runFlags.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const flags = readRunFlags(process.argv.slice(2), 10);
if ("problem" in flags) {
  process.stderr.write(`${flags.problem}\n`);
  process.exit(2);
}
const seed = flags.seed ?? randomInt(2 ** 31);
say(`chaos for ${flags.minutes} minutes; again with: npm run chaos -- --minutes ${flags.minutes} --seed ${seed}`);
const hasPages = process.env["E2E_CHROMIUM"] !== "";
if (!hasPages) say("without pages: this machine has no Chromium");
const report = await runChaos({
  seed,
  runMs: flags.minutes * 60_000,
  everyMs: 3_200,
  agents: 4,
  clients: 8,
  hasPages,
  say,
});
for (const line of describeChaos(report)) say(line);
const shortfalls = shortfallsOf(report, flags.minutes);
for (const line of shortfalls) say(`✗ ${line}`);
if (flags.ledger) {
  appendLedger({
    command: "chaos",
    commit: currentCommit(),
    seeds: String(seed),
    minutes: report.minutes,
    deliveries: report.deliveries + report.committed,
    faults: report.faults,
    ...report.harms,
    missed: shortfalls.length,
  });
}
process.exit(shortfalls.length === 0 ? 0 : 1);
