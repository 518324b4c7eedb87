/**
 * `npm run proof:return -- [--ledger]`: 10,000 clients come back after SIGKILL, at the budget and without it, in about two
 * minutes. `--ledger` appends what was seen to docs/trust.md.
 */
import { runProof } from "./proof.mjs";

const exitWrongUse = 2;
const unknown = process.argv.slice(2).find((flag) => flag !== "--ledger");

if (unknown !== undefined) {
  process.stderr.write(`${unknown} is no flag of proof:return: give --ledger, or nothing.\n`);
  process.exitCode = exitWrongUse;
} else {
  await runProof({
    title: "10,000 clients after SIGKILL",
    file: "e2e/test/return.test.ts",
    environment: { RETURNS: "whole", ...(process.argv.length > 2 && { LEDGER: "1" }) },
    msMax: 10 * 60_000,
    needsBrowser: false,
  });
}
