/**
 * Small files that only their owner may read, replaced as a whole: a reader sees the old one or the new one.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

const privateMode = 0o600;

/** Writes beside the file, then takes its place. Throws what the system says. */
export function writePrivateFile(path: string, text: string): void {
  const beside = `${path}.${process.pid}.new`;
  rmSync(beside, { force: true });
  writeFileSync(beside, text, { mode: privateMode, flag: "wx", flush: true });
  renameSync(beside, path);
}

/** The text, or undefined where there is no file. Throws what the system says otherwise. */
export function readTextFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw error;
  }
}
