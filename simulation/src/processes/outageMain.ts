/**
 * `npm run proof:outage -- [--seconds 60] [--ledger]`: the database is cut off, hangs and is slowed, and nobody is closed.
 *
 * Exits 0 where every promise was kept, 1 otherwise, 2 for wrong use.
 */
import { parseArgs } from "node:util";
import { appendLedger, currentCommit } from "../ledger.ts";
import { runOutage } from "./outage.ts";
import { describeOutage, shortfallsOfOutage } from "./outageReport.ts";

const secondsByDefault = 60;
const secondsMax = 3_600;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function readFlags(): { readonly seconds: number; readonly ledger: boolean } | { readonly problem: string } {
  try {
    const { values } = parseArgs({ options: { seconds: { type: "string" }, ledger: { type: "boolean" } } });
    const seconds = Number(values.seconds ?? secondsByDefault);
    if (!(seconds > 0 && seconds <= secondsMax))
      return { problem: `--seconds is ${values.seconds}: give 1 to ${secondsMax}.` };
    return { seconds, ledger: values.ledger === true };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const flags = readFlags();
if ("problem" in flags) {
  process.stderr.write(`${flags.problem}\n`);
  process.exit(2);
}
if (process.env["E2E_POSTGRES"] === "") {
  process.stderr.write(
    "This proof needs PostgreSQL ≥ 15: install it, or set E2E_POSTGRES to the folder of its `initdb`.\n",
  );
  process.exit(2);
}
say(`PostgreSQL cut off, hung and slowed × 50, for ${flags.seconds} s each: 300 clients, 10 agents`);
const report = await runOutage({
  kinds: ["cut", "hung", "slow"],
  faultMs: flags.seconds * 1_000,
  clients: 300,
  agents: 10,
  senders: 2,
  say,
});
for (const line of describeOutage(report)) say(line);
const shortfalls = shortfallsOfOutage(report);
for (const line of shortfalls) say(`✗ ${line}`);
if (flags.ledger) {
  const { harms } = report.judged;
  appendLedger({
    command: "outage",
    commit: currentCommit(),
    minutes: report.seconds / 60,
    deliveries: report.deliveries + report.judged.deliveries,
    faults: report.faults.length,
    ...harms,
    silentGaps: harms.silentGaps + report.wrongReaders.length,
    missed: shortfalls.length,
  });
}
process.exit(shortfalls.length === 0 ? 0 : 1);
