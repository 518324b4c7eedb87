/**
 * `npm run powercut`: cuts the power under the embedded store, or kills its process, again and again, and says what
 * is left of what it had acknowledged.
 *
 * Exit 0: nothing acknowledged was lost and every store opened. 1: something was. 2: it cannot run here, or a wrong
 * flag. With `--ledger` the run is added to docs/trust.md.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { appendLedger, currentCommit } from "../ledger.ts";
import { runCuts } from "./cutShell.ts";
import { runKills } from "./killShell.ts";
import { whyNoMounts } from "./ports/mounts.ts";

const usage = `npm run powercut -- [flags]
  --cycles N       how often, 1 to 10,000 (20)
  --kill           kills the process with SIGKILL instead of cutting the power; needs neither root nor Linux
  --weakened MODE  off or normal: SQLite's synchronous mode in the place of ours, which must lose; never in the ledger
  --ledger         adds the run to docs/trust.md
`;
const cyclesMax = 10_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = flags();
  if (typeof asked === "string") return wrongUse(`${asked}\n${usage}`);
  const { cycles, kill, weakened, ledger } = asked;
  const missing = kill ? undefined : whyNoMounts();
  if (missing !== undefined) return wrongUse(`Power cannot be cut here: ${missing}; --kill needs neither.\n`);
  const report = kill
    ? await kills(cycles)
    : await runCuts({ cycles, say, ...(weakened === undefined ? {} : { weakened }) });
  const { cuts, acknowledged, lost, repeated, reordered, phantom, opened, breaches } = report;
  say(
    `${kill ? "kills" : "power cuts"}: ${cuts}, opened again: ${opened}, acknowledged: ${acknowledged}, lost: ${lost}, repeated: ${repeated}, reordered: ${reordered}, phantom: ${phantom}`,
  );
  for (const breach of breaches) say(`! ${breach}`);
  if (ledger && weakened === undefined)
    appendLedger({
      command: "powercut",
      commit: currentCommit(),
      deliveries: acknowledged,
      faults: cuts,
      ...(kill ? {} : { powerCuts: cuts }),
      lost,
      repeated,
      reordered,
      phantom,
      silentGaps: 0,
    });
  return breaches.length === 0 && opened === cycles ? 0 : 1;
}

async function kills(cycles: number) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-kill-"));
  try {
    const { history, last, cycles: done } = await runKills(folder, cycles, say);
    const acknowledged = history.acknowledged + history.tokensAcknowledged.size;
    return { ...last, acknowledged, cuts: done, opened: done };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function flags() {
  try {
    const { values } = parseArgs({
      options: {
        cycles: { type: "string", default: "20" },
        kill: { type: "boolean", default: false },
        weakened: { type: "string" },
        ledger: { type: "boolean", default: false },
      },
    });
    const cycles = Number(values.cycles);
    if (!Number.isInteger(cycles) || cycles < 1 || cycles > cyclesMax)
      return `--cycles is ${values.cycles}: give a whole number from 1 to ${cyclesMax}.`;
    const { weakened } = values;
    if (weakened !== undefined && weakened !== "off" && weakened !== "normal")
      return `--weakened is ${weakened}: give off or normal.`;
    return { cycles, kill: values.kill, weakened, ledger: values.ledger } as const;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function wrongUse(sentence: string): number {
  process.stderr.write(sentence);
  return 2;
}
