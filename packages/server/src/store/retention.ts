/**
 * The retention job: keeps the table of lifetimes, in small steps, and says what it did (ST-10).
 *
 * Life cycle: armed with the node; every minute a round (`retentionPlan.ts`), step by step, each a transaction of
 * its own (`retain.ts`). Invariants: between two steps it stays away for at least nine times as long as the last
 * one took, so it never has more than a tenth of the store, and no commit waits for more than one step; a step that
 * fails ends its round, and the next round begins anew.
 */
import { type Clock, ProtocolError, type TimerHandle } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { Retained, RetainStep, Store, StoreSize } from "./port.ts";
import { firstStep, nextStep, type Round } from "./retentionPlan.ts";

const everyMs = 60_000;
/** Between two steps of a round, at least. */
const apartMsMin = 20;
const apartPerStep = 9;

/** Since the start of this node. */
export interface RetentionFigures {
  readonly removed: { readonly requests: number; readonly producers: number; readonly events: number };
  /** As of the last round; undefined before the first. */
  readonly size: StoreSize | undefined;
  /** More is stored than the limit, and none of it may go. */
  readonly isFull: boolean;
}

export interface Retention {
  readonly figures: RetentionFigures;
  stop(): void;
}

export interface RetentionOptions {
  readonly store: Pick<Store, "commit">;
  readonly clock: Clock;
  readonly log: Log;
  readonly lifetimes: Lifetimes;
}

/** Runs the job until it is stopped. */
export function startRetention({ store, clock, log, lifetimes }: RetentionOptions): Retention {
  const removed = { requests: 0, producers: 0, events: 0 };
  let size: StoreSize | undefined;
  let isFull = false;
  let timer: TimerHandle | undefined;
  let stopped = false;

  const arm = (ms: number, then: () => Promise<void>): void => {
    if (!stopped) timer = clock.after(ms, () => void then());
  };
  const begin = (): Promise<void> => go(firstStep(), { ...removed });

  const go = async (round: Round, before: typeof removed): Promise<void> => {
    if (round.kind === "over") {
      finish(round.isFull, before);
      return;
    }
    const beganAt = clock.monotonic();
    try {
      const done = await run(store, round.step);
      count(round.step, done);
      const tookMs = clock.monotonic() - beganAt;
      arm(Math.max(apartMsMin, apartPerStep * tookMs), () => go(nextStep(round, done, lifetimes), before));
    } catch (error) {
      if (!stopped) log.warn("retention.failed", { step: round.step.of, error });
      arm(everyMs, begin);
    }
  };

  const count = (step: RetainStep, done: Retained): void => {
    if (step.of !== "size") removed[step.of] += done.removed;
    size = done.size ?? size;
  };

  const finish = (full: boolean, before: typeof removed): void => {
    const events = removed.events - before.events;
    if (events > 0) log.info("retention.removed", { events, ...size });
    if (full && !isFull) log.warn("retention.full", { ...size, workBytesMax: lifetimes.workBytesMax });
    isFull = full;
    arm(everyMs, begin);
  };

  arm(everyMs, begin);
  return {
    get figures() {
      return { removed: { ...removed }, size, isFull };
    },
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
    },
  };
}

/** How large the store is, and what is gone of it; undefined before the first round. */
export function storeFigures({
  size,
  removed,
  isFull,
}: RetentionFigures): (StoreSize & { readonly removedEvents: number; readonly isFull: boolean }) | undefined {
  return size === undefined ? undefined : { ...size, removedEvents: removed.events, isFull };
}

async function run(store: Pick<Store, "commit">, step: RetainStep): Promise<Retained> {
  const { outcomes, faults } = await store.commit([{ kind: "retain", step }]);
  const [outcome] = outcomes;
  if (outcome?.ok === true) return outcome.value as Retained;
  throw (
    faults[0]?.error ?? ProtocolError.fromBody(outcome?.error ?? { code: "internal", message: "", retryable: true })
  );
}
