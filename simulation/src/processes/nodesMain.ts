/**
 * `npm run proof:nodes -- [--seconds 10] [--ledger]`: two servers on one PostgreSQL, without notices, restarted in turn,
 * and one of them killed, under load.
 *
 * Exits 0 where every promise was kept, 1 otherwise, 2 for wrong use.
 */
import { parseArgs } from "node:util";
import { appendLedger, currentCommit } from "../ledger.ts";
import { runNodes } from "./nodes.ts";
import { describeNodes, shortfallsOfNodes } from "./nodesReport.ts";

const secondsByDefault = 10;
const secondsMax = 3_600;
/** Restarts of both, a kill, and the loss of every notice. */
const faults = 4;
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
say("two servers on one PostgreSQL: 60 clients, 3 agents");
const report = await runNodes({ clients: 60, agents: 3, senders: 2, phaseMs: flags.seconds * 1_000, say });
for (const line of describeNodes(report)) say(line);
const shortfalls = shortfallsOfNodes(report);
for (const line of shortfalls) say(`✗ ${line}`);
if (flags.ledger) {
  const { harms } = report.judged;
  appendLedger({
    command: "nodes",
    commit: currentCommit(),
    minutes: report.seconds / 60,
    deliveries: report.deliveries + report.judged.deliveries,
    faults,
    ...harms,
    silentGaps: harms.silentGaps + report.wrongReaders.length,
    missed: shortfalls.length,
  });
}
process.exit(shortfalls.length === 0 ? 0 : 1);
