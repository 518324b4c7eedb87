/**
 * The embedded store as the rooms see it: the {@link Store} port over two worker threads.
 *
 * Life cycle: open (folder, lock, migration; a failure is a `StartError` with one sentence) → calls, each
 * answered once → close. A worker that dies fails what it was asked with `store_unavailable`, and the next call
 * starts another one (`keptWorker.ts`): what it had begun is then decided by the database's own recovery.
 */
import { accessSync, constants, mkdirSync } from "node:fs";
import type { Clock } from "@holdfast/protocol";
import { StartError } from "../../options.ts";
import type { BatchResult, EncodedRun, Fault, Store, StreamPosition, StreamSnapshot } from "../port.ts";
import { keepWorker, type Reopened } from "./keptWorker.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import type { WorkerSettings } from "./messages.ts";
import { fromPortable, type PortableError } from "./portableError.ts";
import { startError } from "./startError.ts";
import type { StoreWorker } from "./worker.ts";

export interface SqliteStoreSettings {
  readonly folder: string;
  /** Modules that export `plugin`, as URLs. */
  readonly plugins: readonly URL[];
  readonly clock: Clock;
  /** Hears of each death of a worker. */
  readonly onFailure: (error: unknown) => void;
  /** Hears that one which had died is there again. */
  readonly onReopened?: (reopened: Reopened) => void;
}

/** Opens the store of a folder, which is created where missing. Throws `StartError`. */
export async function openSqliteStore(settings: SqliteStoreSettings): Promise<Store> {
  prepareFolder(settings.folder);
  const plugins = settings.plugins.map((url) => url.href);
  const start = (role: WorkerSettings["role"], before?: Promise<unknown>): Promise<StoreWorker> =>
    keepWorker({ ...settings, settings: { folder: settings.folder, plugins, role }, ...(before && { before }) });
  // Both load their modules at once; what is read is what the writer has made of the folder.
  const writing = start("writer");
  const reading = start("reader", writing);
  // Where the writer does not start, that is why.
  reading.catch(() => {});
  const writer = await writing;
  const reader = await reading.catch(async (error: unknown) => {
    await writer.stop();
    throw error;
  });
  return {
    commit: async (batch) => withErrors((await writer.call({ name: "commit", batch })) as BatchResult),
    position: (workspace, stream) =>
      reader.call({ name: "position", workspace, stream }) as Promise<StreamPosition | null>,
    positions: (streams) => reader.call({ name: "positions", streams }) as Promise<readonly (StreamPosition | null)[]>,
    snapshot: (workspace, stream) =>
      reader.call({ name: "snapshot", workspace, stream }) as Promise<StreamSnapshot | null>,
    read: (workspace, stream, offset, eventsMax, bytesMax, rollUp = true) =>
      reader.call({ name: "read", workspace, stream, offset, eventsMax, bytesMax, rollUp }) as Promise<EncodedRun>,
    query: async (caller, method, params) =>
      withErrors((await reader.call({ name: "query", caller, method, params })) as Awaited<ReturnType<Store["query"]>>),
    close: async () => {
      await reader.stop();
      await writer.stop();
    },
  };
}

/** Takes a data folder for this process, made where missing, whatever store goes with it. Throws `StartError`. */
export function takeFolder(folder: string): FolderLock {
  prepareFolder(folder);
  try {
    return lockFolder(folder);
  } catch (error) {
    throw startError(folder, error);
  }
}

function withErrors<Result extends { faults: readonly Fault[] }>(result: Result): Result {
  if (result.faults.length === 0) return result;
  return {
    ...result,
    faults: result.faults.map((fault) => ({ ...fault, error: fromPortable(fault.error as PortableError) })),
  };
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.R_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(
      `The data folder ${folder} cannot be written (${codeOf(error)}); choose another with --data or change its rights.`,
      { cause: error },
    );
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "unknown");
}
