/** `npm run chaos -- [--minutes 10] [--seed n] [--ledger]`: the product's own processes under faults, judged as a whole. */
import { runProgram } from "./program.mjs";

await runProgram("simulation/src/processes/chaosMain.ts", { takesBrowser: true });
