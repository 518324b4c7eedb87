/**
 * The embedded store as the rooms see it: the {@link Store} port over two worker threads.
 *
 * Life cycle: open (folder, lock, migration; a failure is a `StartError` with one sentence) → calls, each
 * answered once → close. A worker that dies fails what it was asked with `store_unavailable` and stays down
 * until the process is started again: what it had begun is then decided by the database's own recovery.
 */
import { accessSync, constants, mkdirSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { ProtocolError } from "@holdfast/protocol";
import { StartError } from "../../options.ts";
import { StoreLost } from "../outage.ts";
import type { BatchResult, EncodedRun, Fault, Store, StreamPosition, StreamSnapshot } from "../port.ts";
import { type FolderLock, lockFolder, lockHolder } from "./lock.ts";
import type { Call, WorkerMessage, WorkerSettings } from "./messages.ts";
import { fromPortable, type PortableError } from "./portableError.ts";

const retryAfterMs = 5_000;

export interface SqliteStoreSettings {
  readonly folder: string;
  /** Modules that export `plugin`, as URLs. */
  readonly plugins: readonly URL[];
  /** Hears of a worker's death, once. */
  readonly onFailure: (error: unknown) => void;
}

/** Opens the store of a folder, which is created where missing. Throws `StartError`. */
export async function openSqliteStore(settings: SqliteStoreSettings): Promise<Store> {
  prepareFolder(settings.folder);
  const plugins = settings.plugins.map((url) => url.href);
  const writer = await startWorker({ folder: settings.folder, plugins, role: "writer" }, settings.onFailure);
  const readerSettings: WorkerSettings = { folder: settings.folder, plugins, role: "reader" };
  const reader = await startWorker(readerSettings, settings.onFailure).catch(async (error: unknown) => {
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
    read: (workspace, stream, offset, eventsMax, bytesMax) =>
      reader.call({ name: "read", workspace, stream, offset, eventsMax, bytesMax }) as Promise<EncodedRun>,
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

interface StoreWorker {
  call(call: Call): Promise<unknown>;
  stop(): Promise<void>;
}

async function startWorker(settings: WorkerSettings, onFailure: (error: unknown) => void): Promise<StoreWorker> {
  const worker = new Worker(new URL("./workerMain.ts", import.meta.url), {
    workerData: settings,
    name: `store ${settings.role}`,
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  let next = 1;
  let down: unknown;
  let stopping = false;

  const fail = (error: unknown): void => {
    if (down !== undefined || stopping) return;
    down = error;
    for (const { reject } of waiting.values()) reject(unavailable(error));
    waiting.clear();
    onFailure(error);
  };
  const answered = (message: WorkerMessage): void => {
    if (message.kind !== "answer" && message.kind !== "error") return;
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === "answer") waiter?.resolve(message.value);
    else waiter?.reject(unavailable(fromPortable(message.error)));
  };

  await opening(worker, settings);
  worker.on("message", answered);
  worker.on("error", (cause) => fail(new StoreLost(`the store's ${settings.role} failed`, { cause })));
  worker.on("exit", (code) => fail(new StoreLost(`the store's ${settings.role} ended with code ${code}`)));

  const call = (request: Call): Promise<unknown> => {
    if (down !== undefined || stopping)
      return Promise.reject(unavailable(down ?? new StoreLost("the store is closed")));
    const id = next++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, call: request });
    });
  };
  return {
    call,
    stop: async () => {
      if (stopping) return;
      const closing = down === undefined ? call({ name: "close" }) : undefined;
      stopping = true;
      await closing;
      await worker.terminate();
    },
  };
}

function opening(worker: Worker, settings: WorkerSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => {
      void worker.terminate();
      reject(startError(settings.folder, error));
    };
    worker.once("error", refuse);
    worker.once("message", (message: WorkerMessage) => {
      worker.off("error", refuse);
      if (message.kind === "ready") resolve();
      else if (message.kind === "failed") refuse(fromPortable(message.error));
    });
  });
}

/** SQLite's primary result codes: BUSY; READONLY and CANTOPEN; CORRUPT and NOTADB. */
const codes = { inUse: [5], notWritable: [8, 14], damaged: [11, 26] } as const;

function startError(folder: string, error: unknown): StartError {
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
  if (is(codes.damaged))
    return new StartError(
      `The store in ${folder} is damaged (${reason}): put a backup of the folder in its place, or choose another folder with --data.`,
      { cause: error },
    );
  return new StartError(`The store in ${folder} cannot be opened: ${reason}.`, { cause: error });
}

function unavailable(cause: unknown): ProtocolError {
  return new ProtocolError("store_unavailable", "the store did not answer", { retryAfter: retryAfterMs, cause });
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "unknown");
}
