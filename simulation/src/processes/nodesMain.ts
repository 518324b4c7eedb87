/**
 * `npm run proof:nodes -- [--seconds 10] [--from <commit>] [--ledger]`: two servers on one PostgreSQL, without notices,
 * restarted in turn, and one of them killed, under load. With `--from` both run that commit's program at first: the
 * restart is an upgrade, and two versions share the database meanwhile.
 *
 * Exits 0 where every promise was kept, 1 otherwise, 2 for wrong use.
 */
import { parseArgs } from "node:util";
import { appendLedger, currentCommit } from "../ledger.ts";
import { runNodes } from "./nodes.ts";
import { describeNodes, shortfallsOfNodes } from "./nodesReport.ts";
import { type OlderProgram, takeOlderProgram } from "./olderProgram.ts";

const secondsByDefault = 10;
const secondsMax = 3_600;
/** Restarts of both, a kill, and the loss of every notice. */
const faults = 4;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Flags {
  readonly seconds: number;
  readonly ledger: boolean;
  readonly older: OlderProgram | undefined;
}

function readFlags(): Flags | { readonly problem: string } {
  try {
    const { values } = parseArgs({
      options: { seconds: { type: "string" }, from: { type: "string" }, ledger: { type: "boolean" } },
    });
    const seconds = Number(values.seconds ?? secondsByDefault);
    if (!(seconds > 0 && seconds <= secondsMax))
      return { problem: `--seconds is ${values.seconds}: give 1 to ${secondsMax}.` };
    const older = values.from === undefined ? undefined : takeOlderProgram(values.from);
    return { seconds, ledger: values.ledger === true, older };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const flags = readFlags();
if ("problem" in flags) {
  process.stderr.write(`${flags.problem}\n`);
  process.exit(2);
}
const { older } = flags;
const from = older === undefined ? "" : `, from the program of ${older.commit} to today's`;
say(`two servers on one PostgreSQL: 60 clients, 3 agents${from}`);
const phaseMs = flags.seconds * 1_000;
const report = await runNodes({ clients: 60, agents: 3, senders: 2, phaseMs, older, say }).finally(() =>
  older?.remove(),
);
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
