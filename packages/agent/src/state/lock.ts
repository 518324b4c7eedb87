/**
 * One process per state folder.
 *
 * Two processes with one identity would fence each other for ever. The lock is the operating system's: an
 * exclusive transaction on an SQLite file that never gets a byte, as for the server's data folder. It ends with
 * its process, however that ends. A pid in a file does not do: after a restart of a container or machine the
 * same number is somebody else's, and taking over a stale file is a race of its own.
 * Invariant: while a lock is held, no other process (or other lock of this one) holds the same file.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { AgentStartError } from "./startError.ts";

export interface FolderLock {
  /** Whether the folder still holds our lock file: false once it was removed or replaced. */
  isHeld(): boolean;
  release(): void;
}

/** Takes the lock of `folder` at once, or throws `state_locked` or `state_unusable`. */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, "lock.db");
  const database = openDatabase(path);
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    const busy = (error as { errcode?: number }).errcode === sqliteBusy;
    if (!busy) throw new AgentStartError("state_unusable", `The lock ${path} cannot be taken: ${String(error)}`, error);
    throw new AgentStartError(
      "state_locked",
      `Another agent process uses the folder ${folder}: stop it, or give this one a folder of its own.`,
    );
  }
  const inode = inodeOf(path);
  return {
    isHeld: () => inode !== undefined && inodeOf(path) === inode,
    release: () => database.close(),
  };
}

const sqliteBusy = 5;

function openDatabase(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 0 });
  } catch (error) {
    throw new AgentStartError(
      "state_unusable",
      `The lock ${path} cannot be opened: check the folder's owner and rights.`,
      error,
    );
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
