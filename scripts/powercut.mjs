/** `npm run powercut`: cuts the power under the embedded store and says what is left. */
import { runProgram } from "./program.mjs";

await runProgram("simulation/src/powercut/powercutMain.ts");
