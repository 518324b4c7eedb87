/**
 * Makes a folder and those above it, readable by their owner only.
 *
 * Node's own recursive `mkdir` never returns where the system says "no such file" below a folder that exists,
 * as `/proc` does; this one goes down step by step, and throws what the system says.
 */
import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

const privateMode = 0o700;

export function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: privateMode });
  } catch (error) {
    // Another start may have made it meanwhile.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
