/**
 * What a node knows of its store: whether it may be asked, since when not, and who wants to hear of its return.
 *
 * Life cycle: healthy → the breaker opens (AD-2) → one probe each 5 s, however many wait → a probe succeeds, and all
 * who wait are told at once. While it is open the log has one line a minute, which names the dependency, its error,
 * since when, and how many wait (AD-4). Invariant: nothing here closes a connection or judges one; it deliberately
 * keeps no call back, it only refuses.
 */
import { type Clock, ProtocolError, type TimerHandle } from "@holdfast/protocol";
import type { Log } from "../observe/log.ts";
import { type BreakerEvent, type BreakerState, closedBreaker, type Lane, stepBreaker } from "./breaker.ts";
import type { AdmissionLimits } from "./limits.ts";
import { createRetryLaw } from "./retryLaw.ts";

/** AD-4: a store that goes on failing, or comes and goes, is told so often at most. */
const toldApartMs = 60_000;
/** What one failure refused is not sent again sooner. */
const retryAfterMsMin = 1_000;
export const outageReason = "store_unavailable";

export interface Degraded {
  readonly reason: typeof outageReason;
  /** ms since 1970. */
  readonly since: number;
}

export interface StoreHealth {
  /** While the store is not asked (OP-4). */
  readonly degraded: Degraded | undefined;
  succeeded(lane: Lane): void;
  /** A failure of the database itself; those of one statement are nobody's business here. */
  failed(lane: Lane, error: unknown): void;
  /** What is answered instead of asking. Each has its own `retryAfter` (CL-4). */
  refusal(): ProtocolError;
  /** ms after which what the store refused may be sent again (CL-4). */
  retryAfter(): number;
  /** Called at each return of the store. Gives back the end of it. */
  onRecovered(run: () => void): () => void;
  /** Adds to "how many wait", which the log names. */
  countWaiting(count: () => number): void;
  stop(): void;
}

/** What a room that waits for the store needs of it. */
export type StoreWatch = Pick<StoreHealth, "degraded" | "onRecovered" | "countWaiting">;

export interface StoreHealthOptions {
  /** Asks the store for a write and a read. Rejects where either fails. */
  readonly probe: () => Promise<void>;
  /** Names the dependency in the log: `{ store: "sqlite", file }`, `{ store: "postgres", host, port }`. */
  readonly place: Readonly<Record<string, string | number>>;
  readonly limits: AdmissionLimits;
  readonly clock: Clock;
  readonly log: Log;
}

export function createStoreHealth({ probe, place, limits, clock, log }: StoreHealthOptions): StoreHealth {
  let state: BreakerState = closedBreaker;
  let degraded: Degraded | undefined;
  let lastError: unknown;
  let timer: TimerHandle | undefined;
  let stopped = false;
  let probes = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  /** Outages since the last line about one: a store that comes and goes is told as that. */
  let outages = 0;
  /** Whether this outage has a line, so that its end gets one too. */
  let isTold = false;
  const law = createRetryLaw(limits.openingsPerSecond);
  const recovered = new Set<() => void>();
  const counts: (() => number)[] = [];

  const step = (event: BreakerEvent): void => {
    const before = state;
    state = stepBreaker(before, event, limits);
    if (before.kind !== state.kind) (state.kind === "open" ? opened : closed)();
  };

  const opened = (): void => {
    degraded = { reason: outageReason, since: clock.now() };
    probes = 0;
    outages += 1;
    isTold = false;
    tell();
    arm();
  };

  const closed = (): void => {
    const forMs = degraded === undefined ? 0 : clock.now() - degraded.since;
    degraded = undefined;
    if (isTold) log.info("store.available", { ...place, forMs, probes });
    for (const run of [...recovered]) {
      try {
        run();
      } catch (error) {
        // One of those who waited must not keep the others (F72).
        log.error("store.recovery_failed", { error });
      }
    }
  };

  /** AD-4: the line of an outage. */
  const tell = (): void => {
    if (clock.monotonic() - toldAt < toldApartMs) return;
    toldAt = clock.monotonic();
    isTold = true;
    const waiting = counts.reduce((sum, count) => sum + count(), 0);
    log.error("store.unavailable", { ...place, since: degraded?.since, outages, waiting, probes, error: lastError });
    outages = 0;
  };

  const arm = (): void => {
    if (stopped || state.kind !== "open") return;
    timer = clock.after(Math.max(0, state.probeAt - clock.monotonic()), () => void tryStore());
  };

  const tryStore = async (): Promise<void> => {
    step({ kind: "probeBegan" });
    probes += 1;
    const ok = await probe().then(
      () => true,
      (error: unknown) => {
        lastError = error;
        return false;
      },
    );
    if (stopped) return;
    step({ kind: "probeEnded", ok, now: clock.monotonic() });
    if (!ok) tell();
    arm();
  };

  const retryAfter = (): number => {
    const now = clock.monotonic();
    return law.next(now, state.kind === "open" ? Math.max(retryAfterMsMin, state.probeAt - now) : retryAfterMsMin);
  };

  return {
    get degraded() {
      return degraded;
    },
    succeeded: (lane) => step({ kind: "succeeded", lane }),
    failed(lane, error) {
      lastError = error;
      step({ kind: "failed", lane, now: clock.monotonic() });
    },
    refusal: () =>
      new ProtocolError(outageReason, "the database does not answer; it is asked again every few seconds", {
        retryAfter: retryAfter(),
      }),
    retryAfter,
    onRecovered(run) {
      recovered.add(run);
      return () => void recovered.delete(run);
    },
    countWaiting: (count) => void counts.push(count),
    stop() {
      stopped = true;
      if (timer !== undefined) clock.cancel(timer);
      recovered.clear();
    },
  };
}
