/**
 * A tab's requests: kept here until they are decided, whichever host carries them (RQ-3).
 *
 *   waiting ─host's connection is open: gets its id─▶ given away ─host sends it─▶ named ─▶ settled
 *
 * Each has a ticket of the tab's. Its id is the tab's to give, once the host can send it, and is then told to every
 * host: so a former one that was only stopped, and still holds it when it wakes, repeats it and never makes it anew
 * (I2); and of one without an id it is certain that nobody has sent it. The host ends a request at its deadline;
 * where there is no host to do so, the tab does, a little later.
 */
import { type Clock, limits, makeId, ProtocolError, type Random, type TimerHandle } from "@holdfast/protocol";
import { guard } from "../core/effects.ts";
import { outboxEntriesMax } from "../core/limits.ts";
import type { DurableCallOptions } from "../durable/durableSession.ts";
import type { GivenId, Order } from "../durable/orders.ts";
import { toJson } from "../shell/json.ts";
import type { FromTab, ToTab } from "./messages.ts";

/** Over its deadline a request is the host's to end; this much later the tab does. */
const deadlineGraceMs = 5_000;

interface Waiting {
  /** Undefined: another page's, whose outcome is asked for. */
  readonly order: Order | undefined;
  /** What a host sent it as. */
  named: Order["named"];
  /** The id that it has from us. */
  given: GivenId | undefined;
  /** The one of its lane that it must follow (RQ-4), while that had no result. */
  behind: Waiting | undefined;
  /** A host that is gone was given its id: if it lives, it may send it. */
  isElsewhere: boolean;
  /** The person took it back; it gets no id any more. */
  isWithdrawn: boolean;
  readonly settled: Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  timer: TimerHandle;
}

export interface TabRequests {
  readonly size: number;
  call(method: string, params: unknown, options: DurableCallOptions | undefined): Promise<unknown>;
  outcome(ticket: string): Promise<unknown>;
  withdraw(ticket: string): void;
  /** The server's clock, ms, while the host's connection is open. */
  shown(serverNow: number | undefined): void;
  /** The host is gone, or no longer ours. */
  lose(): void;
  /** Tells a new host of all that is undecided. */
  repeat(): void;
  take(message: Extract<ToTab, { kind: "named" | "settled" }>): void;
  abandon(makeError: (method: string, isSent: boolean) => ProtocolError): void;
  /** Resolves when all are decided, or after `ms`. */
  drained(ms: number): Promise<void>;
}

export function makeTabRequests(
  say: (message: FromTab) => void,
  clock: Clock,
  random: Random,
  report: (error: unknown) => void,
): TabRequests {
  const waiting = new Map<string, Waiting>();
  /** Our monotonic clock to the server's; undefined while the host could send nothing. */
  let serverOffsetMs: number | undefined;
  let empty = (): void => {};

  function settle(ticket: string, result: unknown, error: unknown, isAborted = false): void {
    const entry = waiting.get(ticket);
    if (entry === undefined) return;
    waiting.delete(ticket);
    clock.cancel(entry.timer);
    if (error === undefined) entry.resolve(result);
    else entry.reject(error);
    entry.behind = undefined;
    // Aborted, it goes on if it was sent: whoever is behind it stays there.
    if (!isAborted || idOf(entry) === undefined) passOn(entry, error !== undefined);
    if (waiting.size === 0) empty();
  }

  /** RQ-4, for those that nobody has sent; of the others host and server decide. */
  function passOn(entry: Waiting, hasFailed: boolean): void {
    for (const [ticket, follower] of [...waiting]) {
      if (follower.behind !== entry) continue;
      follower.behind = undefined;
      if (!hasFailed || idOf(follower) !== undefined) continue;
      say({ kind: "withdraw", ticket });
      const message = `${follower.order?.method}: the request before it had no result`;
      settle(ticket, undefined, new ProtocolError("conflict", message, { details: { reason: "after_failed" } }));
    }
  }

  function wait(ticket: string, order: Order | undefined, ms: number): Waiting {
    const dueMs = clock.monotonic() + ms;
    const late = (isGraced: boolean): void => {
      // LV-3: found late, it was we who slept; its outcome may be in the port already.
      if (!isGraced && clock.monotonic() - dueMs > limits.lateTimerMs) {
        entry.timer = clock.after(limits.lateTimerGraceMs, () => late(true));
        return;
      }
      const isSent = idOf(entry) !== undefined;
      if (!isSent) say({ kind: "withdraw", ticket });
      settle(ticket, undefined, unanswered(order?.method ?? ticket, isSent));
    };
    const { promise: settled, resolve, reject } = Promise.withResolvers<unknown>();
    const entry: Waiting = {
      order,
      named: undefined,
      given: undefined,
      behind: lastOf(waiting.values(), order?.lane),
      isElsewhere: false,
      isWithdrawn: false,
      settled,
      resolve,
      reject,
      timer: clock.after(ms, () => late(false)),
    };
    waiting.set(ticket, entry);
    return entry;
  }

  /** Its id, where it may have one now. */
  function give(entry: Waiting): GivenId | undefined {
    const { behind, isWithdrawn } = entry;
    const after = behind && idOf(behind);
    if (serverOffsetMs === undefined || isWithdrawn || (behind !== undefined && after === undefined)) return undefined;
    entry.given = { id: makeId(clock.monotonic() + serverOffsetMs, random), after };
    return entry.given;
  }

  return {
    get size() {
      return waiting.size;
    },
    async call(method, params, { signal, timeout, durable = false, lane, onTicket } = {}) {
      signal?.throwIfAborted();
      if (waiting.size >= outboxEntriesMax)
        throw new ProtocolError("queue_full", `${method}: too many requests wait for their answers`);
      const text = toJson(params ?? {}, method);
      const savedAt = clock.now();
      const ticket = makeId(savedAt, random);
      const order = { ticket, method, params: text, lane, timeoutMs: timeout, durable, savedAt, named: undefined };
      const answerMs = timeout ?? limits.requestDeadlineMs;
      // Unsent it waits as long as it would for its answer; a durable one an hour.
      const unsentMs = durable ? limits.durableRequestKeptMs : answerMs;
      const entry = wait(ticket, order, unsentMs + answerMs + deadlineGraceMs);
      const abort = (): void => {
        say({ kind: "withdraw", ticket });
        settle(ticket, undefined, signal?.reason, true);
      };
      signal?.addEventListener("abort", abort);
      guard(() => onTicket?.(ticket), report);
      say({ kind: "call", order, given: give(entry) });
      try {
        return await entry.settled;
      } finally {
        signal?.removeEventListener("abort", abort);
      }
    },
    outcome(ticket) {
      const own = waiting.get(ticket);
      if (own !== undefined) return own.settled;
      const { settled } = wait(ticket, undefined, outcomeMs);
      say({ kind: "await", ticket });
      return settled;
    },
    withdraw(ticket) {
      const own = waiting.get(ticket);
      if (own !== undefined) own.isWithdrawn = true;
      say({ kind: "withdraw", ticket });
    },
    shown(serverNow) {
      serverOffsetMs = serverNow && serverNow - clock.monotonic();
      for (const [ticket, entry] of waiting) {
        if (entry.order === undefined || idOf(entry) !== undefined) continue;
        const given = give(entry);
        if (given !== undefined) say({ kind: "name", ticket, given });
      }
    },
    lose() {
      serverOffsetMs = undefined;
      for (const entry of waiting.values()) entry.isElsewhere ||= entry.given !== undefined;
    },
    repeat() {
      for (const [ticket, { order, named, given, isWithdrawn }] of waiting) {
        say(order === undefined ? { kind: "await", ticket } : { kind: "call", order: { ...order, named }, given });
        if (isWithdrawn) say({ kind: "withdraw", ticket });
      }
    },
    take(message) {
      const { ticket } = message;
      const entry = waiting.get(ticket);
      if (entry === undefined) return;
      if (message.kind === "named") entry.named = message.named;
      else if (message.error !== undefined && entry.isElsewhere && entry.named === undefined)
        // This host did not send it; nobody knows what the one before it did.
        settle(ticket, undefined, unanswered(entry.order?.method ?? ticket, true));
      else settle(ticket, message.result, message.error && ProtocolError.fromBody(message.error));
    },
    abandon(makeError) {
      for (const [ticket, entry] of [...waiting].reverse())
        settle(ticket, undefined, makeError(entry.order?.method ?? ticket, idOf(entry) !== undefined));
    },
    drained(ms) {
      if (waiting.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = clock.after(ms, resolve);
        empty = () => {
          clock.cancel(timer);
          resolve();
        };
      });
    },
  };
}

/** A saved request is decided an hour and a deadline after it was saved, at the latest. */
const outcomeMs = limits.durableRequestKeptMs + limits.requestDeadlineMs + deadlineGraceMs;

/** `timeout` means: outcome unknown. */
export function unanswered(method: string, isSent: boolean): ProtocolError {
  return isSent
    ? new ProtocolError("timeout", `${method}: no answer in time; its outcome is unknown`)
    : new ProtocolError("unavailable", `${method}: no connection in time; it was not sent`);
}

/** Under which somebody may have sent it. */
function idOf({ named, given }: Waiting): string | undefined {
  return named?.id ?? given?.id;
}

/** RQ-4: the nearest earlier one of the lane that is not decided. */
function lastOf(waiting: Iterable<Waiting>, lane: string | undefined): Waiting | undefined {
  let last: Waiting | undefined;
  for (const entry of waiting) if (lane !== undefined && entry.order?.lane === lane && !entry.isWithdrawn) last = entry;
  return last;
}
