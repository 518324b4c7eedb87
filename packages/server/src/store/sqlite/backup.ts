/**
 * `holdfast backup` and `holdfast restore`: the embedded store of a data folder, to a file and back (ST-15).
 *
 * A backup is taken beside the running server, as of one moment. A restore needs the folder's lock, so the server
 * stands still: the file is copied, checked, every stream of the copy gets a new epoch, and only then it takes
 * the store's place, in one rename. Invariants: readers with an old cursor are told (`reset: "epoch"`), never given
 * other events under offsets that they know; the store that was there is kept beside; a refusal is a `StartError`
 * with one sentence, and leaves everything as it was. What an agent acknowledged in an inbox stays acknowledged.
 */
import { randomUUID } from "node:crypto";
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartError } from "../../options.ts";
import type { Plugin } from "../../plugin.ts";
import { requireKnown } from "../migrate.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import { migrationsHad, storeFile } from "./migrating.ts";
import { copyWhole, flushFile, flushFolder, partialSuffix, requireWhole } from "./wholeCopy.ts";

/** Where the store that a restore replaces is kept, with a number behind it from the second on. */
const keptName = `${storeFile}.before-restore`;
const keptMax = 1_000;

export interface BackedUp {
  readonly bytes: number;
}

export interface Restored {
  readonly streams: number;
  /** Where the store that was there is kept; undefined where there was none. */
  readonly kept: string | undefined;
}

/** Copies the store of `folder` to `file`, which must not exist. Throws `StartError`. */
export function backupStore({ folder, file }: { readonly folder: string; readonly file: string }): BackedUp {
  if (!existsSync(join(folder, storeFile)))
    throw new StartError(
      `There is no store in the data folder ${folder}; name the server's folder as --data <folder>.`,
    );
  try {
    copyWhole(join(folder, storeFile), file);
  } catch (error) {
    throw backupError(file, error);
  }
  return { bytes: statSync(file).size };
}

function backupError(file: string, error: unknown): StartError {
  const { code, path = file } = error as NodeJS.ErrnoException;
  const sentence =
    code === "EEXIST" && path.endsWith(partialSuffix)
      ? `${path} exists: a backup to ${file} is under way, or one was killed; wait for its end, or remove that file.`
      : code === "EEXIST"
        ? `${file} exists; name another file, or remove it.`
        : isFull(error)
          ? `The disk of ${file} is full; name a file on another one.`
          : code === "ENOENT" || code === "ENOTDIR" || code === "EACCES" || code === "EROFS" || code === "EISDIR"
            ? `${file} cannot be written (${code}); name a file in a folder that exists and can be written.`
            : `The backup to ${file} failed (${messageOf(error)}); nothing was written.`;
  return new StartError(sentence, { cause: error });
}

/** Puts the backup `file` in the place of the store of `folder`. Throws `StartError`. */
export function restoreStore(parts: {
  readonly folder: string;
  readonly file: string;
  /** The app's, and the server's own: a store with a migration of none of them is refused. */
  readonly plugins: readonly Plugin[];
}): Restored {
  const { folder, file, plugins } = parts;
  requireReadable(file);
  const store = join(folder, storeFile);
  // Its newest commits may still lie beside it, where a restore would not look.
  if (existsSync(store) && realpathSync(store) === realpathSync(file))
    throw new StartError(`${file} is the store itself; name a file that \`holdfast backup\` made.`);
  const lock = locked(folder);
  const fresh = join(folder, `${storeFile}.restoring`);
  try {
    rmSync(fresh, { force: true });
    const streams = prepareRestored(file, fresh, plugins);
    const kept = keepFormer(folder);
    renameSync(fresh, join(folder, storeFile));
    flushFolder(folder);
    return { streams, kept };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${file} cannot be restored (${messageOf(error)}); the store is as it was.`, { cause: error });
  } finally {
    for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(`${fresh}${suffix}`, { force: true });
    lock.release();
  }
}

function requireReadable(file: string): void {
  try {
    accessSync(file, constants.R_OK);
    if (!statSync(file).isFile()) throw Object.assign(new Error("not a file"), { code: "EISDIR" });
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    throw new StartError(`${file} cannot be read (${code}); name a file that \`holdfast backup\` made.`, {
      cause: error,
    });
  }
}

function locked(folder: string): FolderLock {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return lockFolder(folder);
  } catch (error) {
    const sentence =
      resultCode(error) === 5
        ? `The data folder ${folder} is in use by a running Holdfast; stop it first.`
        : `The data folder ${folder} cannot be written (${messageOf(error)}); choose another with --data or change its rights.`;
    throw new StartError(sentence, { cause: error });
  }
}

/** Copies the backup beside the store, and gives every stream of it a new epoch. Their number. */
function prepareRestored(file: string, fresh: string, plugins: readonly Plugin[]): number {
  try {
    copyFileSync(file, fresh);
    requireWhole(fresh);
  } catch (error) {
    if (isFull(error))
      throw new StartError(`The disk of ${dirname(fresh)} is full; make room: the store there is as it was.`, {
        cause: error,
      });
    const advice = "it is not a whole backup of a store; name a file that `holdfast backup` made";
    throw new StartError(`${file} cannot be restored (${messageOf(error)}): ${advice}.`, { cause: error });
  }
  const had = migrationsHad(fresh);
  if (had.length === 0)
    throw new StartError(`${file} holds no Holdfast store; name a file that \`holdfast backup\` made.`);
  try {
    requireKnown(had, plugins);
  } catch (error) {
    throw new StartError(`${file} cannot be restored: ${messageOf(error)}.`, { cause: error });
  }
  const database = new DatabaseSync(fresh);
  try {
    database.exec("pragma journal_mode=delete; pragma synchronous=full");
    // One name for all: an epoch is only ever compared with others of its own stream.
    const changed = database.prepare("update streams set epoch = ?").run(randomUUID());
    return Number(changed.changes);
  } finally {
    database.close();
    flushFile(fresh);
  }
}

/**
 * Keeps the store that is there under another name, with its write-ahead log where a crash left one. Never opened:
 * SQLite throws the log of a damaged file away. Its new name.
 */
function keepFormer(folder: string): string | undefined {
  const file = join(folder, storeFile);
  if (!existsSync(file)) return undefined;
  const kept = freeName(folder);
  try {
    linkSync(file, kept);
  } catch {
    // A file system without links; a copy takes longer.
    copyFileSync(file, kept, constants.COPYFILE_EXCL);
  }
  // The log of the former store must never lie beside the new one: it would be read into it.
  for (const suffix of ["-wal", "-shm"])
    if (existsSync(`${file}${suffix}`)) renameSync(`${file}${suffix}`, `${kept}${suffix}`);
  flushFolder(dirname(file));
  return kept;
}

function freeName(folder: string): string {
  for (let number = 1; number <= keptMax; number += 1) {
    const name = join(folder, number === 1 ? keptName : `${keptName}-${number}`);
    if (!existsSync(name)) return name;
  }
  throw new StartError(`${folder} holds ${keptMax} stores from before restores; remove some of them.`);
}

/** A disk, as the system or SQLite says it. */
function isFull(error: unknown): boolean {
  return (error as { code?: unknown }).code === "ENOSPC" || resultCode(error) === 13;
}

function resultCode(error: unknown): number {
  return ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
