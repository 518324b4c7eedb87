/** `npm run pack -- --out <folder>`: the packages as they are published, each a tarball in the folder. */
import { runProgram } from "./program.mjs";

await runProgram("scripts/packing/packMain.ts");
