/**
 * A copy of a database as it is in one moment, beside whoever writes to it: `VACUUM INTO`.
 *
 * Chosen over SQLite's page-by-page backup, which begins again whenever somebody else commits, and so never
 * ends under load. Invariants: what has the target's name is whole, checked and on the disk; a copy that fails
 * leaves nothing behind and touches no file that was there.
 */
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

const privateMode = 0o600;
/** A checkpoint of the running server may hold a page for a moment. */
const busyTimeoutMs = 5_000;

/** Throws `EEXIST` where there is a file of that name, and what the system or SQLite says otherwise. */
export function copyWhole(source: string, target: string): void {
  const beside = `${target}.partial`;
  // Reserves the name, so that of two copies one is refused.
  closeSync(openSync(target, "wx", privateMode));
  try {
    closeSync(openSync(beside, "w", privateMode));
    vacuumInto(source, beside);
    requireWhole(beside);
    flushFile(beside);
    renameSync(beside, target);
    flushFolder(dirname(target));
  } catch (error) {
    rmSync(beside, { force: true });
    rmSync(target, { force: true });
    throw error;
  }
}

function vacuumInto(source: string, target: string): void {
  const database = new DatabaseSync(source, { readOnly: true, timeout: busyTimeoutMs });
  try {
    database.prepare("vacuum into ?").run(target);
  } finally {
    database.close();
  }
}

/** Throws where a file is not a database, or one whose pages do not fit together. */
export function requireWhole(file: string): void {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const [first] = database.prepare("pragma quick_check(1)").all() as { quick_check: string }[];
    if (first?.quick_check !== "ok") throw new Error(`quick_check says: ${first?.quick_check ?? "nothing"}`);
  } finally {
    database.close();
  }
}

export function flushFile(path: string): void {
  const file = openSync(path, constants.O_RDWR);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A new name is durable once its folder is. */
export function flushFolder(path: string): void {
  const folder = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
