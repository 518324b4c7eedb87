/** A test of the suite, told at its full length in a real browser: what the `proof:` commands of one file share. */
import { runScript } from "./install.mjs";
import { findRequirements } from "./requirements.mjs";
import { runVitest } from "./run.mjs";

const exitIncomplete = 3;

/**
 * Runs one file of "e2e beside" with the variables that make it long; exits with 3 where there is no Chromium.
 * @param {{ title: string, file: string, environment: Record<string, string>, msMax: number }} proof
 */
export async function runProof({ title, file, environment, msMax }) {
  await runScript(() => {
    const { chromium, missing } = findRequirements(["chromium"]);
    if (chromium === undefined) {
      process.stderr.write(`${missing.join("\n")}\n`);
      process.exitCode = exitIncomplete;
      return;
    }
    const { failed } = runVitest(title, ["--project=e2e beside", file], msMax, {
      E2E_CHROMIUM: chromium,
      ...environment,
    });
    process.exitCode = failed === 0 ? 0 : 1;
  });
}
