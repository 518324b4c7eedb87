/**
 * The lock of a data folder: an exclusive transaction on `lock.db`, held while the store is open, and beside it
 * `lock.pid`, the holder's process id, for the sentence that refuses a second one.
 *
 * The operating system releases the lock when the process dies, however it dies; the number proves nothing by
 * itself, since numbers are used again. Invariant: while the lock is held, the number is its holder's, but for
 * the moment between the two.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export interface FolderLock {
  release(): void;
}

/** Throws where another process holds it (`SQLITE_BUSY`), or where the folder cannot be written. */
export function lockFolder(folder: string): FolderLock {
  const database = new DatabaseSync(join(folder, "lock.db"), { timeout: 0 });
  try {
    database.exec("pragma journal_mode=delete; begin exclusive");
    writeFileSync(holderFile(folder), `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    release: () => {
      rmSync(holderFile(folder), { force: true });
      database.close();
    },
  };
}

/** The process that holds the folder, as it said itself; undefined where it has not yet. */
export function lockHolder(folder: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(holderFile(folder), "utf8"), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

const holderFile = (folder: string): string => join(folder, "lock.pid");
