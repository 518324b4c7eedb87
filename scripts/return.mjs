/** `npm run proof:return`: 10,000 clients come back after SIGKILL, at the budget and without it, in about three minutes. */
import { runScript } from "./install.mjs";
import { runVitest } from "./run.mjs";

await runScript(() => {
  const { failed } = runVitest(
    "10,000 clients after SIGKILL",
    ["--project=e2e beside", "e2e/test/return.test.ts"],
    10 * 60_000,
    { RETURNS: "whole" },
  );
  process.exitCode = failed === 0 ? 0 : 1;
});
