/** A test of the suite, told at its full length: what the `proof:` commands of one file share. */
import { runScript } from "./install.mjs";
import { findRequirements } from "./requirements.mjs";
import { runVitest } from "./run.mjs";

const exitIncomplete = 3;

/**
 * Runs one file of the end-to-end tests, or several one after the other, with the variables that make them long; exits with 3 where they need a browser and there is
 * no Chromium.
 * @param {{ title: string, file: string | readonly string[], environment: Record<string, string>, msMax: number, needsBrowser: boolean }} proof
 */
export async function runProof({ title, file, environment, msMax, needsBrowser }) {
  await runScript(() => {
    const { chromium = "", missing } = needsBrowser ? findRequirements(["chromium"]) : { missing: [] };
    if (needsBrowser && chromium === "") {
      process.stderr.write(`${missing.join("\n")}\n`);
      process.exitCode = exitIncomplete;
      return;
    }
    const all = { E2E_CHROMIUM: chromium, ...environment };
    const { failed } = runVitest(title, ["--project=e2e", "--project=e2e beside", ...[file].flat()], msMax, all);
    process.exitCode = failed === 0 ? 0 : 1;
  });
}
