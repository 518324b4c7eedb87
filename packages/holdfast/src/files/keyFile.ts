/** Where an agent keeps its key: in its own folder, readable by its owner only. */
import { join } from "node:path";
import { makeFolder } from "./makeFolder.ts";
import { readTextFile, writePrivateFile } from "./privateFile.ts";

/** The key, or undefined where the folder has none. */
export function readKey(folder: string): string | undefined {
  const key = readTextFile(join(folder, "key"))?.trim();
  return key === "" ? undefined : key;
}

/** Keeps a key, in place of the one before. */
export function writeKey(folder: string, key: string): void {
  makeFolder(folder);
  writePrivateFile(join(folder, "key"), `${key}\n`);
}
