/**
 * `npm run proof:nodes -- [--seconds 10] [--from <commit>] [--ledger]`: two servers on one PostgreSQL under load, without notices, restarted
 * in turn, and one of them killed.
 */
import { join } from "node:path";
import { root, runScript } from "./install.mjs";
import { findRequirements } from "./requirements.mjs";
import { runTool } from "./run.mjs";

const msMax = 60 * 60_000;
const exitIncomplete = 3;

await runScript(() => {
  const { postgres, missing } = findRequirements(["postgres"]);
  if (postgres === undefined) {
    process.stderr.write(`${missing.join("\n")}\n`);
    process.exitCode = exitIncomplete;
    return;
  }
  process.env.E2E_POSTGRES = postgres;
  const program = join(root, "simulation", "src", "processes", "nodesMain.ts");
  const command = ["--disable-warning=ExperimentalWarning", program, ...process.argv.slice(2)];
  const { failed } = runTool("two servers on one database", command, msMax);
  process.exitCode = failed === 0 ? 0 : 1;
});
