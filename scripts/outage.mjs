/**
 * `npm run proof:outage -- [--seconds 60] [--ledger]`: PostgreSQL cut off, hung and slowed under 300 clients and 10 agents;
 * then one table that may not be read, under 50 pages and a real one.
 */
import { join } from "node:path";
import { root, runScript } from "./install.mjs";
import { findRequirements } from "./requirements.mjs";
import { runTool, runVitest } from "./run.mjs";

const outageMsMax = 60 * 60_000;
const forbiddenMs = 60_000;
const forbiddenMsMax = 6 * 60_000;
const exitIncomplete = 3;

await runScript(() => {
  const { postgres, chromium, missing } = findRequirements();
  if (postgres === undefined || chromium === undefined) {
    process.stderr.write(`${missing.join("\n")}\n`);
    process.exitCode = exitIncomplete;
    return;
  }
  process.env.E2E_POSTGRES = postgres;
  const program = join(root, "simulation", "src", "processes", "outageMain.ts");
  const command = ["--disable-warning=ExperimentalWarning", program, ...process.argv.slice(2)];
  const outages = runTool("outages of the database", command, outageMsMax);
  const forbidden = runVitest(
    "one table that may not be read",
    ["--project=e2e beside", "e2e/test/postgresForbidden.test.ts"],
    forbiddenMsMax,
    { E2E_CHROMIUM: chromium, E2E_POSTGRES: postgres, FORBIDDEN_MS: String(forbiddenMs) },
  );
  process.exitCode = outages.failed + forbidden.failed === 0 ? 0 : 1;
});
