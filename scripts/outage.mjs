/** `npm run proof:outage -- [--seconds 60] [--ledger]`: PostgreSQL cut off, hung and slowed under 300 clients and 10 agents. */
import { runProgram } from "./program.mjs";

await runProgram("simulation/src/processes/outageMain.ts", { takesPostgres: true });
