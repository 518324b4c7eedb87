/** `npm run proof:return`: 10,000 clients come back after SIGKILL, at the budget and without it, in about two minutes. */
import { runProof } from "./proof.mjs";

await runProof({
  title: "10,000 clients after SIGKILL",
  file: "e2e/test/return.test.ts",
  environment: { RETURNS: "whole" },
  msMax: 10 * 60_000,
  needsBrowser: false,
});
