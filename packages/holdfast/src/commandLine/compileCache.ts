/**
 * Keeps what Node made of our modules, so that a second start does not strip and compile them again.
 *
 * The cache lies in `node_modules/.cache`, beside the code that it belongs to, never in a folder that others
 * can write. A cache that cannot be used costs nothing but time, so nothing is said of it.
 */
import { enableCompileCache, flushCompileCache } from "node:module";
import { sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Call before the modules that it is for are loaded. */
export function startCompileCache(): void {
  const dependency = fileURLToPath(import.meta.resolve("pino"));
  const modules = dependency.slice(0, dependency.lastIndexOf(`${sep}node_modules${sep}`));
  enableCompileCache([modules, "node_modules", ".cache", "holdfast"].join(sep));
}

/** Writes it down now: a process that is killed later has no time to. */
export function keepCompileCache(): void {
  flushCompileCache();
}
