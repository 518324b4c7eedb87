/**
 * `npm run soak -- [--minutes 20] [--seed n] [--ledger]`: a long time with nothing wrong, and what it cost.
 *
 * Exits 0 where nobody lost a connection, was refused, missed an event or grew; 1 otherwise; 2 for wrong use.
 */
import { appendLedger, currentCommit } from "../ledger.ts";
import { readRunFlags } from "./runFlags.ts";
import { runSoak } from "./soak.ts";
import { describeSoak, shortfallsOfSoak } from "./soakReport.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const flags = readRunFlags(process.argv.slice(2), 20);
if ("problem" in flags) {
  process.stderr.write(`${flags.problem}\n`);
  process.exit(2);
}
const hasPages = process.env["E2E_CHROMIUM"] !== "";
if (!hasPages) say("without pages: this machine has no Chromium");
say(`soak for ${flags.minutes} minutes: sign-ins of 30 s, 50 clients, 200 events/s`);
const report = await runSoak({
  seed: flags.seed ?? 1,
  runMs: flags.minutes * 60_000,
  clients: hasPages ? 48 : 50,
  agents: 5,
  linesPerSecond: 42,
  signInSeconds: 30,
  hasPages,
  say,
});
for (const line of describeSoak(report)) say(line);
const shortfalls = shortfallsOfSoak(report, { minutes: flags.minutes, eventsPerSecond: 200, signInSeconds: 30 });
for (const line of shortfalls) say(`✗ ${line}`);
if (flags.ledger) {
  const { harms } = report.judged;
  appendLedger({
    command: "soak",
    commit: currentCommit(),
    minutes: report.minutes,
    deliveries: report.deliveries + report.judged.deliveries,
    faults: 0,
    ...harms,
    silentGaps: harms.silentGaps + report.wrongReaders.length,
    missed: shortfalls.length,
  });
}
process.exit(shortfalls.length === 0 ? 0 : 1);
