/**
 * Group commit: operations gather for one short window, then commit together.
 *
 * Life cycle: the first operation opens the window (`commitWindow.ts`); when it ends, and no batch is under way,
 * everything gathered goes to the store as one batch; its answers go out first, then its events to the hub.
 * Invariant: operations commit in the order in which they
 * came, and none is answered before its batch is durable. It deliberately never retries: a batch that the
 * store refused is answered `store_unavailable`, each operation with a time of its own (CL-4), and who sent it
 * sends again under the same keys.
 */
import { type Clock, ProtocolError, type TimerHandle } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import type { Appended, BatchResult, Operation, Outcome, Store } from "../store/port.ts";
import { createCommitSize } from "./commitSize.ts";
import { commitWindowMs } from "./commitWindow.ts";

const fanOutWeight = 0.2;
/** Operations that wait for a batch; above it new ones are refused `too_many`. */
const waitingOperationsMax = 50_000;
const retryAfterMs = 1_000;

export interface Committer {
  /** `done` is called once, after the commit is durable or has failed. */
  submit(operation: Operation, done: (outcome: Outcome) => void): void;
  /** The same as a promise of the value; rejects with a `ProtocolError`. */
  run(operation: Operation): Promise<unknown>;
  /** Resolves when everything submitted so far is answered. */
  idle(): Promise<void>;
}

export interface CommitterOptions {
  readonly store: Pick<Store, "commit">;
  readonly clock: Clock;
  readonly log: Log;
  /** ms after which what was refused may be sent again; each call takes a place (CL-4). 1 s by default. */
  readonly retryAfter?: () => number;
  /** Gets each batch's events, after its answers went out. */
  readonly deliver: (appended: readonly Appended[]) => void;
  /** Asked once a batch: what goes before everything in it. Nothing by default. */
  readonly leading?: () => readonly Waiting[];
}

export interface Waiting {
  readonly operation: Operation;
  readonly done: (outcome: Outcome) => void;
}

export function createCommitter(options: CommitterOptions): Committer {
  const { store, clock, log, deliver, retryAfter = () => retryAfterMs, leading = () => [] } = options;
  let gathering: Waiting[] = [];
  /** Monotonic ms at which the first of them came. */
  let gatheringSince = 0;
  let committing = false;
  let timer: TimerHandle | undefined;
  let fanOutMs = 0;
  const size = createCommitSize();
  const idlers: (() => void)[] = [];

  /** `waitedMs`: how long the first has waited for the commit before. */
  const openWindow = (waitedMs: number): void => {
    if (timer !== undefined || committing || gathering.length === 0) return;
    timer = clock.after(commitWindowMs(fanOutMs, waitedMs), () => {
      timer = undefined;
      void commit();
    });
  };

  const commit = async (): Promise<void> => {
    const gathered = gathering.slice(0, size.operations);
    gathering = gathering.slice(gathered.length);
    const batch = [...leading(), ...gathered];
    const began = clock.monotonic();
    gatheringSince = began;
    committing = true;
    const result = await store.commit(batch.map(({ operation }) => operation)).catch((error: unknown) => {
      log.error("store.commit_failed", { operations: batch.length, error });
      for (const { done } of batch) settle(done, refusal(error, retryAfter()), log);
      return undefined;
    });
    size.ended(batch.length, clock.monotonic() - began, result !== undefined);
    const waitedMs = gathering.length === 0 ? 0 : clock.monotonic() - gatheringSince;
    if (result !== undefined) answer(batch, result);
    committing = false;
    openWindow(waitedMs);
    if (gathering.length === 0) for (const idler of idlers.splice(0)) idler();
  };

  /** Answers first, then events: a caller hears its result before what it caused. */
  const answer = (batch: readonly Waiting[], result: BatchResult): void => {
    for (const { ref, operation, error } of result.faults) log.error("operation.failed", { ref, operation, error });
    for (const [index, { done }] of batch.entries()) settle(done, result.outcomes[index] ?? missing(), log);
    const before = clock.monotonic();
    try {
      deliver(result.appended);
    } catch (error) {
      // Durable and answered: readers find the gap and read it from the log.
      log.error("committer.delivery_failed", { error });
    }
    fanOutMs += fanOutWeight * (clock.monotonic() - before - fanOutMs);
  };

  const submit = (operation: Operation, done: (outcome: Outcome) => void): void => {
    if (gathering.length >= waitingOperationsMax) {
      const error = new ProtocolError("too_many", `${gathering.length} operations wait for the store`, {
        retryAfter: retryAfter(),
      });
      settle(done, { ok: false, error: error.toBody() }, log);
      return;
    }
    if (gathering.length === 0) gatheringSince = clock.monotonic();
    gathering.push({ operation, done });
    openWindow(0);
  };

  return {
    submit,
    run: (operation) =>
      new Promise((resolve, reject) => {
        submit(operation, (outcome) =>
          outcome.ok ? resolve(outcome.value) : reject(ProtocolError.fromBody(outcome.error)),
        );
      }),
    idle: () => new Promise((resolve) => (committing || gathering.length > 0 ? idlers.push(resolve) : resolve())),
  };
}

/** One caller that throws must not cost the others of its batch their answers (F72). */
function settle(done: (outcome: Outcome) => void, outcome: Outcome, log: Log): void {
  try {
    done(outcome);
  } catch (error) {
    log.error("committer.answer_failed", { error });
  }
}

function refusal(error: unknown, retryAfter: number): Outcome {
  const isMeant = error instanceof ProtocolError && error.code !== "store_unavailable";
  const body = isMeant
    ? error
    : new ProtocolError("store_unavailable", "the store did not take the batch", { retryAfter });
  return { ok: false, error: body.toBody() };
}

function missing(): Outcome {
  const error = new ProtocolError("internal", "the store gave no outcome for this operation");
  return { ok: false, error: error.toBody() };
}
