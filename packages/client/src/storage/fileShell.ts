/**
 * The storage of a Node process: one file, written whole beside the old one and then put in its place.
 *
 * Invariants: the file is always one complete state (state and cursor are never apart); one process has it,
 * named in `<path>.lock`, and a lock whose process is gone is taken over; nobody else may read it (0600).
 * Writes that come while one is under way go out together in the next.
 */
import { mkdir, open as openFile, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Kept, memoryStorage, nothingKept } from "./memory.ts";
import type { SessionStorage } from "./port.ts";

const format = 1;
const privateMode = 0o600;

/** @param path the file; its folder is made where it is missing */
export function fileStorage(path: string): SessionStorage {
  const kept = nothingKept();
  let isOwner = false;
  let writing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  /** One write for all changes until it begins. */
  function written(): Promise<void> {
    if (!isOwner) return Promise.reject(new Error(`${path} is not open: call open() first`));
    next ??= writing
      .catch(() => {})
      .then(() => {
        next = undefined;
        writing = write(path, JSON.stringify({ format, kept }));
        return writing;
      });
    return next;
  }

  const memory = memoryStorage(kept, written);
  return {
    ...memory,
    async open() {
      if (!isOwner) {
        await mkdir(dirname(path), { recursive: true });
        await lock(`${path}.lock`);
        isOwner = true;
        Object.assign(kept, nothingKept(), await read(path));
      }
      return await memory.open();
    },
    close() {
      if (!isOwner) return;
      isOwner = false;
      void (next ?? writing).catch(() => {}).then(() => rm(`${path}.lock`, { force: true }));
    },
  };
}

/** What the file holds; nothing where there is none, or where it is no storage of ours. */
async function read(path: string): Promise<Kept> {
  try {
    const { format: found, kept } = JSON.parse(await readFile(path, "utf8")) as { format: number; kept: Kept };
    return found === format ? kept : nothingKept();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return nothingKept();
    throw error;
  }
}

async function write(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  const file = await openFile(fresh, "w", privateMode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

/** Throws where another living process has it. */
async function lock(path: string): Promise<void> {
  for (;;) {
    try {
      await writeFile(path, `${process.pid}`, { flag: "wx", mode: privateMode });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = Number(await readFile(path, "utf8").catch(() => "0"));
    if (owner !== process.pid && isAlive(owner)) throw new Error(`${path}: process ${owner} has this storage open`);
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
