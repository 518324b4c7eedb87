/** `npm run soak -- [--minutes 20] [--ledger]`: nothing wrong for a long time, with credentials that live for 30 s. */
import { runProgram } from "./program.mjs";

await runProgram("simulation/src/processes/soakMain.ts", { takesBrowser: true });
