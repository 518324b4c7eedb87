/**
 * Small JSON files that survive a power cut: whole and new, or whole and old, never half.
 *
 * Written to a temporary name, synchronised, renamed over, and the folder synchronised too, for a rename is
 * durable only then. One writer per file (the folder's lock); writes of one file must not overlap.
 */
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Resolves once `value` is on the disk under `path`. */
export async function writeDurably(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The parsed content, or undefined where there is no such file. Throws where it is no JSON. */
export async function readDurable(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
