/**
 * One worker thread of the embedded store, as its caller sees it: started, asked, dead or stopped.
 *
 * Life cycle: starting → ready → asked, each call answered once → dead (a fault, an end: whatever it was asked fails
 * with `store_unavailable`) or stopped. Invariants: one that died is never asked again (`keptWorker.ts` starts the next);
 * every call is answered or rejected, also one that the thread dies under.
 */
import { Worker } from "node:worker_threads";
import { ProtocolError } from "@holdfast/protocol";
import { StoreLost } from "../outage.ts";
import type { Call, OpenMessage, WorkerMessage, WorkerSettings } from "./messages.ts";
import { fromPortable } from "./portableError.ts";
import { startError } from "./startError.ts";

const retryAfterMs = 5_000;

export interface StoreWorker {
  /** Rejects `store_unavailable`, with its cause. */
  call(call: Call): Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * Starts one, and resolves when its database is open. Rejects with a `StartError`.
 * @param onDeath hears of its death, once, and not after it was told to stop
 * @param before what must have been done before it opens its database; where that fails, so does this
 */
export async function startWorker(
  settings: WorkerSettings,
  onDeath: (error: unknown) => void,
  before?: Promise<unknown>,
): Promise<StoreWorker> {
  const worker = new Worker(new URL("./workerMain.ts", import.meta.url), {
    workerData: { ...settings, waits: before !== undefined } satisfies WorkerSettings,
    name: `store ${settings.role}`,
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  let next = 1;
  let down: unknown;
  let stopping = false;

  const fail = (error: unknown): void => {
    if (down !== undefined) return;
    down = error;
    for (const { reject } of waiting.values()) reject(unavailable(error));
    waiting.clear();
    if (!stopping) onDeath(error);
  };
  const answered = (message: WorkerMessage): void => {
    if (message.kind !== "answer" && message.kind !== "error") return;
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === "answer") waiter?.resolve(message.value);
    else waiter?.reject(unavailable(fromPortable(message.error)));
  };

  await opening(worker, settings, before);
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
      // One that dies while it closes is closed.
      await closing?.catch(() => {});
      await worker.terminate();
    },
  };
}

function opening(worker: Worker, settings: WorkerSettings, before: Promise<unknown> | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => {
      void worker.terminate();
      reject(startError(settings.folder, error));
    };
    before?.then(() => worker.postMessage({ kind: "open" } satisfies OpenMessage), refuse);
    const ended = (code: number): void => refuse(new StoreLost(`the store's ${settings.role} ended with code ${code}`));
    worker.once("error", refuse);
    worker.once("exit", ended);
    worker.once("message", (message: WorkerMessage) => {
      worker.off("error", refuse);
      worker.off("exit", ended);
      if (message.kind === "ready") resolve();
      else if (message.kind === "failed") refuse(fromPortable(message.error));
    });
  });
}

/** How every store tells its failure (AD-2 reads the cause). */
export function unavailable(cause: unknown): ProtocolError {
  return new ProtocolError("store_unavailable", "the store did not answer", { retryAfter: retryAfterMs, cause });
}
