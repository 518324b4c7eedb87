/**
 * What the store does not give right now: one retry a stream, however many wait for it (ST-7, ST-8).
 *
 * Life cycle: a read of a stream fails → who waits for it is told `pending`, once → one of them tries again
 * after 5 s, doubling to 60 s, or, where the whole store is down, as soon as it is back → the first success lets
 * all go on. One log line opens a stream's own trouble and one ends it, under the same `ref`; an outage of the store
 * is told by its breaker. It closes nothing and judges nothing.
 */
import { randomUUID } from "node:crypto";
import { type Clock, ProtocolError, type TimerHandle } from "@holdfast/protocol";
import { outageReason, type StoreWatch } from "../admission/storeHealth.ts";
import type { Log } from "../observe/log.ts";

const retryMsMin = 5_000;
const retryMsMax = 60_000;

/** Who waits for a stream. */
export interface Waiter {
  pending(reason: string, ref: string): void;
}

export interface Troubles<Place, Who extends Waiter> {
  /** Whether a stream is in trouble; `who` then waits here. False for the one retry, which must pass. */
  holds(place: Place, who: Who): boolean;
  /** A read failed: these wait. */
  failed(place: Place, who: Iterable<Who>, error: unknown): void;
  /** A read succeeded: those who waited, to go on. */
  ended(place: Place): readonly Who[];
  /** It waits no longer. */
  remove(who: Who): void;
  /** How many wait. */
  readonly waiting: number;
  stop(): void;
}

export interface TroublesOptions<Place, Who> {
  readonly clock: Clock;
  readonly log: Log;
  readonly health: Pick<StoreWatch, "degraded" | "onRecovered">;
  /** For the log. */
  readonly nameOf: (place: Place) => string;
  /** The one retry of a stream. It must end in `failed` or `ended`; false where this one cannot try any more. */
  readonly retry: (place: Place, who: Who) => boolean;
}

interface Trouble<Who> {
  readonly ref: string;
  readonly reason: string;
  readonly since: number;
  readonly waiting: Set<Who>;
  retryMs: number;
  /** What its retry waits for; undefined while that is under way. */
  until: { readonly kind: "timer"; readonly timer: TimerHandle } | { readonly kind: "store" } | undefined;
}

export function createTroubles<Place, Who extends Waiter>(options: TroublesOptions<Place, Who>): Troubles<Place, Who> {
  const { clock, log, health, nameOf, retry } = options;
  const troubles = new Map<Place, Trouble<Who>>();

  const tryAgain = (place: Place, trouble: Trouble<Who>): void => {
    trouble.until = undefined;
    for (const who of [...trouble.waiting]) {
      if (retry(place, who)) return;
      trouble.waiting.delete(who);
    }
    troubles.delete(place);
  };

  /** ST-7: while nobody may ask the store, no timer has anything to try. */
  const arm = (place: Place, trouble: Trouble<Who>): void => {
    trouble.until =
      health.degraded === undefined
        ? { kind: "timer", timer: clock.after(trouble.retryMs, () => tryAgain(place, trouble)) }
        : { kind: "store" };
  };

  const forget = health.onRecovered(() => {
    for (const [place, trouble] of [...troubles]) if (trouble.until?.kind === "store") tryAgain(place, trouble);
  });

  const cancel = ({ until }: Trouble<Who>): void => {
    if (until?.kind === "timer") clock.cancel(until.timer);
  };

  const begin = (place: Place, error: unknown): Trouble<Who> => {
    const trouble: Trouble<Who> = {
      ref: randomUUID(),
      reason: error instanceof ProtocolError && error.code === outageReason ? outageReason : "internal",
      since: clock.monotonic(),
      waiting: new Set(),
      retryMs: retryMsMin,
      until: undefined,
    };
    log.error("stream.read_failed", { ref: trouble.ref, stream: nameOf(place), error });
    troubles.set(place, trouble);
    return trouble;
  };

  return {
    holds(place, who) {
      const trouble = troubles.get(place);
      if (trouble?.until === undefined) return false;
      join(trouble, who);
      return true;
    },
    failed(place, who, error) {
      const known = troubles.get(place);
      const trouble = known ?? begin(place, error);
      // Only the retry itself lengthens the wait: other reads of the same outage were under way.
      if (known !== undefined && known.until === undefined && health.degraded === undefined)
        known.retryMs = Math.min(retryMsMax, known.retryMs * 2);
      for (const one of who) join(trouble, one);
      if (trouble.until === undefined) arm(place, trouble);
    },
    ended(place) {
      const trouble = troubles.get(place);
      if (trouble === undefined) return [];
      cancel(trouble);
      troubles.delete(place);
      const forMs = Math.round(clock.monotonic() - trouble.since);
      const tell = trouble.reason === outageReason ? log.debug : log.info;
      tell("stream.read_again", { ref: trouble.ref, stream: nameOf(place), forMs, waited: trouble.waiting.size });
      return [...trouble.waiting];
    },
    remove(who) {
      for (const trouble of troubles.values()) trouble.waiting.delete(who);
    },
    get waiting() {
      let waiting = 0;
      for (const trouble of troubles.values()) waiting += trouble.waiting.size;
      return waiting;
    },
    stop() {
      forget();
      for (const trouble of troubles.values()) cancel(trouble);
      troubles.clear();
    },
  };
}

/** Told once: who waits already knows. */
function join<Who extends Waiter>(trouble: Trouble<Who>, who: Who): void {
  if (trouble.waiting.has(who)) return;
  trouble.waiting.add(who);
  who.pending(trouble.reason, trouble.ref);
}
