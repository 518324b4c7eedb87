/**
 * A tab's requests: kept here until they are decided, whichever host carries them (RQ-3).
 *
 *   held ─host's connection is open─▶ released ─host sends it─▶ named ─▶ settled
 *
 * Each has a ticket and, once the server's clock is known, an id of the tab's, which every host is told: so one that
 * was only stopped, and still holds it when it wakes, repeats it and never makes it anew (I2). A host sends what is
 * released; so of what is held it is certain that nobody has sent it. The host ends a request at its deadline; where
 * there is no host to do so, the tab does, a little later.
 */
import { type Clock, limits, makeId, ProtocolError, type Random, type TimerHandle } from "@holdfast/protocol";
import { guard } from "../core/effects.ts";
import { outboxEntriesMax } from "../core/limits.ts";
import type { DurableCallOptions } from "../durable/durableSession.ts";
import type { Order } from "../durable/orders.ts";
import { toJson } from "../shell/json.ts";
import type { GivenId } from "../storage/port.ts";
import type { FromTab, ToTab } from "./messages.ts";

/** Over its deadline a request is the host's to end; this much later the tab does. */
const deadlineGraceMs = 5_000;

interface Waiting {
  /** Undefined: another page's, whose outcome is asked for. */
  readonly order: Order | undefined;
  /** What a host sent it as. */
  named: Order["named"];
  given: GivenId | undefined;
  isReleased: boolean;
  /** The one of its lane that it must follow (RQ-4), while that had no result. */
  behind: Waiting | undefined;
  /** It was released to a host that is gone: if that one lives, it may send it. */
  isElsewhere: boolean;
  /** The person took it back; it is not released any more. */
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
  /** The server's clock, ms, where the host knows it, and whether its connection is open. */
  shown(serverNow: number | undefined, isOpen: boolean): void;
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
  /** Our monotonic clock to the server's, once that is known. */
  let serverOffsetMs: number | undefined;
  /** The host can send now. */
  let isOpen = false;
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
    if (!isAborted || !isMaybeSent(entry)) passOn(entry, error !== undefined);
    if (waiting.size === 0) empty();
  }

  /** RQ-4, for those that nobody has sent; of the others host and server decide. */
  function passOn(entry: Waiting, hasFailed: boolean): void {
    for (const [ticket, follower] of [...waiting]) {
      if (follower.behind !== entry) continue;
      follower.behind = undefined;
      if (!hasFailed || isMaybeSent(follower)) continue;
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
      const isSent = isMaybeSent(entry);
      if (!isSent) say({ kind: "withdraw", ticket });
      settle(ticket, undefined, unanswered(order?.method ?? ticket, isSent));
    };
    const { promise: settled, resolve, reject } = Promise.withResolvers<unknown>();
    const entry: Waiting = {
      order,
      named: undefined,
      given: undefined,
      isReleased: false,
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

  /** Gives it its id, and releases it, where it may have one and may go now. */
  function give(entry: Waiting): void {
    const { behind } = entry;
    const after = behind && idOf(behind);
    if (serverOffsetMs === undefined || (behind !== undefined && after === undefined)) return;
    entry.given ??= { id: makeId(clock.monotonic() + serverOffsetMs, random), after };
    entry.isReleased ||= isOpen && !entry.isWithdrawn && (behind === undefined || isMaybeSent(behind));
  }

  function place(ticket: string, { order, named, given, isReleased, isWithdrawn }: Waiting): void {
    if (order === undefined) say({ kind: "await", ticket });
    else say({ kind: "call", order: { ...order, named, given }, isHeld: named === undefined && !isReleased });
    if (isWithdrawn) say({ kind: "withdraw", ticket });
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
      const unnamed = { given: undefined, named: undefined };
      const order = { ticket, method, params: text, lane, timeoutMs: timeout, durable, savedAt, ...unnamed };
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
      give(entry);
      place(ticket, entry);
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
    shown(serverNow, nowOpen) {
      if (serverNow !== undefined) serverOffsetMs = serverNow - clock.monotonic();
      isOpen = nowOpen;
      for (const [ticket, entry] of waiting) {
        if (entry.order === undefined || isMaybeSent(entry)) continue;
        give(entry);
        if (entry.isReleased && entry.given !== undefined) say({ kind: "release", ticket, given: entry.given });
      }
    },
    lose() {
      isOpen = false;
      for (const entry of waiting.values()) entry.isElsewhere ||= entry.isReleased;
    },
    repeat() {
      for (const [ticket, entry] of waiting) place(ticket, entry);
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
        settle(ticket, undefined, makeError(entry.order?.method ?? ticket, isMaybeSent(entry)));
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
    ? new ProtocolError("timeout", `${method}: no answer; its outcome is unknown`)
    : new ProtocolError("unavailable", `${method}: no connection; it was not sent`);
}

/** Of one that is not, it is certain that nobody has sent it, or will. */
function isMaybeSent({ named, isReleased }: Waiting): boolean {
  return named !== undefined || isReleased;
}

function idOf({ named, given }: Waiting): string | undefined {
  return named?.id ?? given?.id;
}

/** RQ-4: the nearest earlier one of the lane that is not decided. */
function lastOf(waiting: Iterable<Waiting>, lane: string | undefined): Waiting | undefined {
  let last: Waiting | undefined;
  for (const entry of waiting) if (lane !== undefined && entry.order?.lane === lane && !entry.isWithdrawn) last = entry;
  return last;
}
