/**
 * A copy of a database as it is in one moment, beside whoever writes to it: `VACUUM INTO`.
 *
 * Chosen over SQLite's page-by-page backup, which begins again whenever somebody else commits, and so never
 * ends under load. Invariants: what has the target's name is whole, checked and on the disk, also where the copy is
 * killed; one that fails leaves nothing behind and touches no file that was there.
 */
import { closeSync, constants, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

const privateMode = 0o600;
/** A checkpoint of the running server may hold a page for a moment. */
const busyTimeoutMs = 5_000;

/** Added to the name of a copy that is not whole yet. */
export const partialSuffix = ".partial";

/**
 * Throws `EEXIST`, with the name as `path`, where there is a file of the target's name or of its partial one, and what
 * the system or SQLite says otherwise.
 */
export function copyWhole(source: string, target: string): void {
  const beside = `${target}${partialSuffix}`;
  if (existsSync(target)) throw taken(target);
  // Reserves the name: of two copies one is refused. One that was killed leaves this, and never the target.
  closeSync(openSync(beside, "wx", privateMode));
  // SQLite's own beside it: one of a copy that was killed would be read into this one.
  const journal = `${beside}-journal`;
  try {
    rmSync(journal, { force: true });
    vacuumInto(source, beside);
    requireWhole(beside);
    flushFile(beside);
    takeName(beside, target);
    flushFolder(dirname(target));
  } catch (error) {
    for (const file of [journal, beside]) rmSync(file, { force: true });
    throw error;
  }
}

/** In one step, and never in the place of a file that somebody has put there meanwhile. */
function takeName(beside: string, target: string): void {
  try {
    linkSync(beside, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" || existsSync(target)) throw taken(target);
    // A file system without links.
    renameSync(beside, target);
    return;
  }
  rmSync(beside);
}

function taken(path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`EEXIST: file already exists, '${path}'`), { code: "EEXIST", path });
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
