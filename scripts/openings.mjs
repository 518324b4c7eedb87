/** `npm run proof:openings`: 10,000 connections that end in each phase of opening leave nothing behind, in about a minute. */
import { runScript } from "./install.mjs";
import { runVitest } from "./run.mjs";

await runScript(() => {
  const { failed } = runVitest(
    "10,000 connections that end while they open",
    ["--project=e2e beside", "e2e/test/openings.test.ts"],
    5 * 60_000,
    { OPENINGS: "10000" },
  );
  process.exitCode = failed === 0 ? 0 : 1;
});
