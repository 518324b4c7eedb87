/**
 * A worker of the embedded store that is there again after it has died.
 *
 * Life cycle: started → asked → dead → the next call starts another one, unless the last start was less than
 * {@link reopenApartMsMin} ago; then it is refused with what the worker died of → asked again. While a worker is down
 * its calls fail as the database's own failures do, so the breaker opens, and its probe is the call that starts the
 * next one (AD-2). Invariants: at most one start is under way, whoever asks; it ends within {@link reopenMsMax}; a
 * thread that dies at once, again and again, is started so often and no oftener. What a dead worker had begun is not
 * guessed at: who repeats its keys finds out (RQ-1).
 */
import type { Clock } from "@holdfast/protocol";
import { StoreLost } from "../outage.ts";
import type { WorkerSettings } from "./messages.ts";
import { type StoreWorker, startWorker, unavailable } from "./worker.ts";

/** From one start of a worker to the next. */
export const reopenApartMsMin = 5_000;
/** How long one start may take; migrations are done by then, and recovery of the log takes a second. */
export const reopenMsMax = 30_000;

/** Told when a worker that had died is there again. */
export interface Reopened {
  readonly role: WorkerSettings["role"];
  /** How long it was down, ms. */
  readonly forMs: number;
  /** Starts that it took. */
  readonly attempts: number;
}

export interface KeptWorkerOptions {
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  /** Hears of each death. */
  readonly onFailure: (error: unknown) => void;
  readonly onReopened?: (reopened: Reopened) => void;
  /** What must have been done before it opens its database for the first time. */
  readonly before?: Promise<unknown>;
  /** {@link startWorker}, where no test says otherwise. */
  readonly start?: typeof startWorker;
}

/** Starts it. Rejects with a `StartError` where the first start fails. */
export async function keepWorker(options: KeptWorkerOptions): Promise<StoreWorker> {
  const { settings, clock, onFailure, onReopened = () => {}, before, start = startWorker } = options;
  let worker: StoreWorker | undefined;
  let down: { readonly error: unknown; readonly at: number } | undefined;
  let startedAt = Number.NEGATIVE_INFINITY;
  let attempts = 0;
  let opening: Promise<StoreWorker> | undefined;
  let stopped = false;

  const begin = async (after?: Promise<unknown>): Promise<StoreWorker> => {
    startedAt = clock.monotonic();
    const died = (error: unknown): void => {
      worker = undefined;
      down = { error, at: clock.monotonic() };
      attempts = 0;
      onFailure(error);
    };
    return await start(settings, died, after);
  };

  /** The one start that is under way, or a new one where that is allowed; gives back what it started. */
  const reopened = async (): Promise<StoreWorker> => {
    if (stopped) throw new StoreLost("the store is closed");
    if (opening === undefined && clock.monotonic() - startedAt < reopenApartMsMin) throw down?.error;
    opening ??= reopen().finally(() => {
      opening = undefined;
    });
    return await opening;
  };

  const reopen = async (): Promise<StoreWorker> => {
    attempts += 1;
    const opened = await within(clock, reopenMsMax, begin(), settings.role).catch((cause: unknown) => {
      throw new StoreLost(`the store's ${settings.role} does not open again`, { cause });
    });
    if (stopped) {
      await opened.stop();
      throw new StoreLost("the store is closed");
    }
    worker = opened;
    if (down !== undefined)
      onReopened({ role: settings.role, forMs: Math.round(clock.monotonic() - down.at), attempts });
    return opened;
  };

  worker = await begin(before);
  return {
    async call(call) {
      const asked =
        worker ??
        (await reopened().catch((error: unknown) => {
          throw unavailable(error);
        }));
      return await asked.call(call);
    },
    async stop() {
      stopped = true;
      await opening?.catch(() => {});
      const last = worker;
      worker = undefined;
      await last?.stop();
    },
  };
}

/** What opens too late is stopped, and nobody hears of it. */
function within(clock: Clock, ms: number, starting: Promise<StoreWorker>, role: string): Promise<StoreWorker> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = clock.after(ms, () => {
      isLate = true;
      reject(new StoreLost(`the store's ${role} was not open within ${ms} ms`));
    });
    starting.then(
      (worker) => {
        clock.cancel(timer);
        if (isLate) void worker.stop();
        else resolve(worker);
      },
      (error: unknown) => {
        clock.cancel(timer);
        reject(error);
      },
    );
  });
}
