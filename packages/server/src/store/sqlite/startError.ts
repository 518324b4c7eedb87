/** Why a data folder's store cannot be opened, as one sentence that says what to do. Pure but for the lock's holder. */
import { StartError } from "../../options.ts";
import { lockHolder } from "./lock.ts";

/** SQLite's primary result codes: BUSY; READONLY and CANTOPEN; FULL; CORRUPT and NOTADB. */
const codes = { inUse: [5], notWritable: [8, 14], full: [13], damaged: [11, 26] } as const;

export function startError(folder: string, error: unknown): StartError {
  const code = ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff;
  const is = (kind: readonly number[]): boolean => kind.includes(code);
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ");
  if (is(codes.inUse)) {
    const holder = lockHolder(folder);
    const who = holder === undefined ? "another Holdfast" : `another Holdfast (process ${holder})`;
    return new StartError(
      `The data folder ${folder} is in use by ${who}; stop that one, or choose another folder with --data.`,
      { cause: error },
    );
  }
  if (is(codes.notWritable))
    return new StartError(
      `The data folder ${folder} cannot be written; choose another with --data or change its rights.`,
      { cause: error },
    );
  if (is(codes.full) || (error as { code?: unknown } | null)?.code === "ENOSPC")
    return new StartError(
      `The disk of the data folder ${folder} is full (${reason}): make room, also for a copy of the store where a new version changes it; it is as it was.`,
      { cause: error },
    );
  if (is(codes.damaged))
    return new StartError(
      `The store in ${folder} is damaged (${reason}): put a backup of the folder in its place, or choose another folder with --data.`,
      { cause: error },
    );
  return new StartError(`The store in ${folder} cannot be opened: ${reason}.`, { cause: error });
}
