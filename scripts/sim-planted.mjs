/** `npm run sim:planted`: bugs on purpose, which the simulation must catch. */
import { runProgram } from "./program.mjs";

await runProgram("simulation/src/planted/plantedMain.ts");
