/** `npm run proof:sleep`: tabs of a real browser whose renderers are stopped for 100 s lose and repeat nothing. */
import { runScript } from "./install.mjs";
import { findRequirements } from "./requirements.mjs";
import { runVitest } from "./run.mjs";

const sleepMs = 100_000;
const msMax = 6 * 60_000;

await runScript(() => {
  const { chromium, missing } = findRequirements(["chromium"]);
  if (chromium === undefined) {
    process.stderr.write(`${missing.join("\n")}\n`);
    process.exitCode = 3;
  } else {
    const environment = { E2E_CHROMIUM: chromium, SLEEP_MS: String(sleepMs) };
    const { failed } = runVitest(
      "a sleep of 100 s",
      ["--project=e2e beside", "e2e/test/sleep.test.ts"],
      msMax,
      environment,
    );
    process.exitCode = failed === 0 ? 0 : 1;
  }
});
