/**
 * The lock of a data folder: an exclusive transaction on `lock.db`, held while the store is open.
 *
 * The operating system releases it when the process dies, however it dies; a second process on one folder
 * is refused at once. It deliberately stores nothing.
 */
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
  } catch (error) {
    database.close();
    throw error;
  }
  return { release: () => database.close() };
}
