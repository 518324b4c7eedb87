/**
 * One process per agent folder, and a word on which one: `process.db` is the lock, `process.json` the word.
 *
 * The lock is an exclusive transaction, which the operating system ends with its process, however that dies;
 * a pid alone proves nothing, since numbers are used again. Life cycle: lock → record → work → record gone →
 * release. Invariant: while the lock is held, a record, once there, is its holder's.
 * It deliberately does not wait long: who finds the lock held has nothing to do here.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeFolder } from "./makeFolder.ts";
import { readTextFile, writePrivateFile } from "./privateFile.ts";

/** A start waits this long, since another start may be looking at the lock just then. */
export const lockWaitMsMax = 1_000;

export interface ProcessRecord {
  readonly pid: number;
  readonly version: string;
  /** Whether it was started with a key. */
  readonly key: boolean;
}

export interface ProcessLock {
  release(): void;
}

/** Takes the folder for this process; null where another one has it. */
export function lockProcess(folder: string, record: ProcessRecord): ProcessLock | null {
  makeFolder(folder);
  const database = open(folder, lockWaitMsMax);
  if (database === null) return null;
  writePrivateFile(recordFile(folder), `${JSON.stringify(record)}\n`);
  return {
    release: () => {
      rmSync(recordFile(folder), { force: true });
      database.close();
    },
  };
}

/** Whether some process holds the folder now. */
export function isProcessLocked(folder: string): boolean {
  if (!existsSync(lockFile(folder))) return false;
  const database = open(folder, 0);
  database?.close();
  return database === null;
}

/** What the holder says of itself; undefined between its lock and its record. */
export function readProcessRecord(folder: string): ProcessRecord | undefined {
  const text = readTextFile(recordFile(folder));
  if (text === undefined) return undefined;
  const record = JSON.parse(text) as Partial<ProcessRecord>;
  if (typeof record.pid !== "number" || typeof record.version !== "string" || typeof record.key !== "boolean")
    return undefined;
  return { pid: record.pid, version: record.version, key: record.key };
}

function lockFile(folder: string): string {
  return join(folder, "process.db");
}

function recordFile(folder: string): string {
  return join(folder, "process.json");
}

function open(folder: string, timeout: number): DatabaseSync | null {
  const database = new DatabaseSync(lockFile(folder), { timeout });
  try {
    database.exec("pragma journal_mode=delete; begin exclusive");
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
}

/** SQLITE_BUSY: its primary result code is 5. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === 5
  );
}
