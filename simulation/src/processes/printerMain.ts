/**
 * What the agents of the tests are told to run: notes that it began, then prints numbered lines, one at a time.
 *
 * `printerMain.ts <token> <lines> <ms between two> <file>`: the note in the file is the command's effect, so that one
 * which ran twice is found.
 */
import { appendFileSync } from "node:fs";

const [token = "", lines = "", everyMs = "", file = ""] = process.argv.slice(2);
appendFileSync(file, `${JSON.stringify({ token, at: Date.now() })}\n`);
let printed = 0;
const timer = setInterval(() => {
  printed += 1;
  process.stdout.write(`${token} line ${printed}\n`);
  if (printed >= Number(lines)) clearInterval(timer);
}, Number(everyMs));
