/** `npm run sim`: the production code in a simulated world. */
import { runProgram } from "./program.mjs";

await runProgram("simulation/src/simMain.ts");
