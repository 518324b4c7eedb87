/**
 * What the store does not give right now: one retry a stream, however many wait for it (ST-7, ST-8).
 *
 * Life cycle: a read of a stream fails → who waits for it is told `pending`, once → one of them tries again
 * after 5 s, doubling to 60 s → the first success lets all go on. One log line opens an outage and one ends it,
 * under the same `ref`. It closes nothing and judges nothing.
 */
import { randomUUID } from "node:crypto";
import { type Clock, ProtocolError, type TimerHandle } from "@holdfast/protocol";
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
  stop(): void;
}

export interface TroublesOptions<Place, Who> {
  readonly clock: Clock;
  readonly log: Log;
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
  /** undefined while the one retry is under way. */
  timer: TimerHandle | undefined;
}

export function createTroubles<Place, Who extends Waiter>(options: TroublesOptions<Place, Who>): Troubles<Place, Who> {
  const { clock, log, nameOf, retry } = options;
  const troubles = new Map<Place, Trouble<Who>>();

  const arm = (place: Place, trouble: Trouble<Who>): void => {
    trouble.timer = clock.after(trouble.retryMs, () => {
      trouble.timer = undefined;
      for (const who of [...trouble.waiting]) {
        if (retry(place, who)) return;
        trouble.waiting.delete(who);
      }
      troubles.delete(place);
    });
  };

  const begin = (place: Place, error: unknown): Trouble<Who> => {
    const trouble: Trouble<Who> = {
      ref: randomUUID(),
      reason: error instanceof ProtocolError ? error.code : "internal",
      since: clock.monotonic(),
      waiting: new Set(),
      retryMs: retryMsMin,
      timer: undefined,
    };
    log.error("stream.read_failed", { ref: trouble.ref, stream: nameOf(place), error });
    troubles.set(place, trouble);
    return trouble;
  };

  return {
    holds(place, who) {
      const trouble = troubles.get(place);
      if (trouble === undefined || trouble.timer === undefined) return false;
      join(trouble, who);
      return true;
    },
    failed(place, who, error) {
      const known = troubles.get(place);
      const trouble = known ?? begin(place, error);
      // Only the retry itself lengthens the wait: other reads of the same outage were under way.
      if (known !== undefined && known.timer === undefined) known.retryMs = Math.min(retryMsMax, known.retryMs * 2);
      for (const one of who) join(trouble, one);
      if (trouble.timer === undefined) arm(place, trouble);
    },
    ended(place) {
      const trouble = troubles.get(place);
      if (trouble === undefined) return [];
      if (trouble.timer !== undefined) clock.cancel(trouble.timer);
      troubles.delete(place);
      const forMs = Math.round(clock.monotonic() - trouble.since);
      log.info("stream.read_again", { ref: trouble.ref, stream: nameOf(place), forMs, waited: trouble.waiting.size });
      return [...trouble.waiting];
    },
    remove(who) {
      for (const trouble of troubles.values()) trouble.waiting.delete(who);
    },
    stop() {
      for (const trouble of troubles.values()) if (trouble.timer !== undefined) clock.cancel(trouble.timer);
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
