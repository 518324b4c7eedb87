/**
 * `npm test`: everything, from a fresh clone: install, requirements, the gate, units, and the product itself.
 *
 * Runs all that can be run and then says what could not: what the machine lacks is listed as "not run" and
 * ends with exit 3, a failed test with exit 1. The last line is `N passed, N failed` (`, N skipped`), summed
 * over all of it. `npm test -- <filter>` runs only the test files whose path holds the filter, and no gate.
 */
import { pathToFileURL } from "node:url";
import { check } from "./check.mjs";
import { runScript } from "./install.mjs";
import { findRequirements } from "./requirements.mjs";
import { noCounts, runVitest, sum } from "./run.mjs";

const unitMsMax = 12 * 60_000;
const e2eMsMax = 20 * 60_000;
const exitFailed = 1;
const exitIncomplete = 3;

/** Files that need a part of the system. */
const needs = {
  chromium: [
    "e2e/test/assistant.test.ts",
    "e2e/test/canary.test.ts",
    "e2e/test/chat.test.ts",
    "e2e/test/chatOffline.test.ts",
    "e2e/test/chatOpening.test.ts",
    "e2e/test/chatReloads.test.ts",
    "e2e/test/chatSignIn.test.ts",
    "e2e/test/chatSlow.test.ts",
    "e2e/test/chatTogether.test.ts",
    "e2e/test/examples.test.ts",
    "e2e/test/flags.test.ts",
    "e2e/test/longAnswer.test.ts",
    "e2e/test/page.test.ts",
    "e2e/test/people.test.ts",
    "e2e/test/postgresForbidden.test.ts",
    "e2e/test/postgresOutage.test.ts",
    "e2e/test/provider.test.ts",
    "e2e/test/proxyPage.test.ts",
    "e2e/test/screen.test.ts",
    "e2e/test/sleep.test.ts",
    "e2e/test/sleepOfChat.test.ts",
    "e2e/test/stories.test.ts",
    "e2e/test/supabase.test.ts",
    "e2e/test/tabs.test.ts",
    "e2e/test/unopened.test.ts",
    "e2e/test/weather.test.ts",
  ],
  nginx: ["e2e/test/proxy.test.ts", "e2e/test/proxyNodes.test.ts", "e2e/test/proxyPage.test.ts"],
  postgres: [
    "e2e/test/proxyNodes.test.ts",
    "e2e/test/postgres.test.ts",
    "e2e/test/postgresOutage.test.ts",
    "e2e/test/postgresForbidden.test.ts",
    "packages/holdfast/test/postgres/doctor.test.ts",
    "packages/server/test/postgres/contract.test.ts",
    "packages/server/test/postgres/faults.test.ts",
    "packages/server/test/postgres/migrations.test.ts",
    "packages/server/test/postgres/nodes.test.ts",
    "packages/server/test/postgres/retention.test.ts",
    "simulation/test/processesNodes.test.ts",
    "simulation/test/processesOutage.test.ts",
  ],
};

function test(filters) {
  const found = findRequirements();
  const notRun = Object.entries(needs).flatMap(([key, files]) => (found[key] === undefined ? files : []));
  const environment = {
    E2E_CHROMIUM: found.chromium ?? "",
    E2E_POSTGRES: found.postgres ?? "",
    E2E_NGINX: found.nginx ?? "",
  };

  const gate = filters.length === 0 ? check() : noCounts();
  const excluded = notRun.map((file) => `--exclude=${file}`);
  const units = runVitest(
    "unit tests",
    ["--project=unit", "--passWithNoTests", ...excluded, ...filters],
    unitMsMax,
    environment,
  );
  const product = runVitest(
    "the product, end to end",
    ["--project=e2e", "--project=e2e beside", "--passWithNoTests", ...excluded, ...filters],
    e2eMsMax,
    environment,
  );
  return { counts: [units, product].reduce(sum, gate), notRun, missing: found.missing };
}

function report({ counts, notRun, missing }) {
  process.stdout.write("\n");
  for (const sentence of missing) process.stdout.write(`${sentence}\n`);
  if (notRun.length > 0) process.stdout.write(`not run: ${notRun.join(", ")}\n`);
  const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  if (counts.failed > 0) return exitFailed;
  return notRun.length > 0 ? exitIncomplete : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await runScript(() => {
    process.exitCode = report(test(process.argv.slice(2)));
  });
}
