/** `npm run proof:stories`: server killed, page reloaded, agent's link gone, each ten times in mid-output. */
import { runScript } from "./install.mjs";
import { findRequirements } from "./requirements.mjs";
import { runVitest } from "./run.mjs";

const runs = 10;
const msMax = 15 * 60_000;

await runScript(() => {
  const { chromium, missing } = findRequirements(["chromium"]);
  if (chromium === undefined) {
    process.stderr.write(`${missing.join("\n")}\n`);
    process.exitCode = 3;
  } else {
    const environment = { E2E_CHROMIUM: chromium, STORY_RUNS: String(runs) };
    const { failed } = runVitest(
      "the stories, ten times each",
      ["--project=e2e beside", "e2e/test/stories.test.ts"],
      msMax,
      environment,
    );
    process.exitCode = failed === 0 ? 0 : 1;
  }
});
