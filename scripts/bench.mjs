/** `npm run bench -- <question>`: measures Holdfast beside other systems on this machine. */
import { runProgram } from "./program.mjs";

await runProgram("bench/src/main.ts");
