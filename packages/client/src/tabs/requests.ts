/**
 * A tab's requests: kept here until they are decided, whichever host carries them (RQ-3).
 *
 * Each has a ticket of the tab's, and from its first sending the id under which it went out; a new host is told
 * both, so it repeats a request and never makes it anew. The host ends a request at its deadline; where there is
 * no host to do so, the tab does, a little later.
 */
import { type Clock, limits, ProtocolError, type Random, type TimerHandle, uuidv7 } from "@holdfast/protocol";
import { guard } from "../core/effects.ts";
import { outboxEntriesMax } from "../core/limits.ts";
import type { DurableCallOptions } from "../durable/durableSession.ts";
import type { Order } from "../durable/orders.ts";
import { toJson } from "../shell/json.ts";
import type { FromTab, ToTab } from "./messages.ts";

/** Over its deadline a request is the host's to end; this much later the tab does. */
const deadlineGraceMs = 5_000;

interface Waiting {
  /** Undefined: another page's, whose outcome is asked for. */
  readonly order: Order | undefined;
  named: Order["named"];
  readonly settled: Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: TimerHandle;
}

export interface TabRequests {
  readonly size: number;
  call(method: string, params: unknown, options: DurableCallOptions | undefined): Promise<unknown>;
  outcome(ticket: string): Promise<unknown>;
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
  let empty = (): void => {};

  function settle(ticket: string, result: unknown, error: unknown): void {
    const entry = waiting.get(ticket);
    if (entry === undefined) return;
    waiting.delete(ticket);
    clock.cancel(entry.timer);
    if (error === undefined) entry.resolve(result);
    else entry.reject(error);
    if (waiting.size === 0) empty();
  }

  function wait(ticket: string, order: Order | undefined, ms: number): Promise<unknown> {
    const late = (): void => {
      const isSent = waiting.get(ticket)?.named !== undefined;
      if (!isSent) say({ kind: "withdraw", ticket });
      settle(ticket, undefined, unanswered(order?.method ?? ticket, isSent));
    };
    const { promise: settled, resolve, reject } = Promise.withResolvers<unknown>();
    waiting.set(ticket, { order, named: undefined, settled, resolve, reject, timer: clock.after(ms, late) });
    return settled;
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
      const ticket = uuidv7(savedAt, random.bytes(10));
      const order = { ticket, method, params: text, lane, timeoutMs: timeout, durable, savedAt, named: undefined };
      const answerMs = timeout ?? limits.requestDeadlineMs;
      // Unsent it waits as long as it would for its answer; a durable one an hour.
      const unsentMs = durable ? limits.durableRequestKeptMs : answerMs;
      const settled = wait(ticket, order, unsentMs + answerMs + deadlineGraceMs);
      const abort = (): void => {
        say({ kind: "withdraw", ticket });
        settle(ticket, undefined, signal?.reason);
      };
      signal?.addEventListener("abort", abort);
      guard(() => onTicket?.(ticket), report);
      say({ kind: "call", order });
      try {
        return await settled;
      } finally {
        signal?.removeEventListener("abort", abort);
      }
    },
    outcome(ticket) {
      const own = waiting.get(ticket);
      if (own !== undefined) return own.settled;
      const settled = wait(ticket, undefined, outcomeMs);
      say({ kind: "await", ticket });
      return settled;
    },
    repeat() {
      for (const [ticket, { order, named }] of waiting)
        say(order === undefined ? { kind: "await", ticket } : { kind: "call", order: { ...order, named } });
    },
    take(message) {
      const entry = waiting.get(message.ticket);
      if (entry === undefined) return;
      if (message.kind === "named") entry.named = message.named;
      else settle(message.ticket, message.result, message.error && ProtocolError.fromBody(message.error));
    },
    abandon(makeError) {
      for (const [ticket, { order, named }] of [...waiting].reverse())
        settle(ticket, undefined, makeError(order?.method ?? ticket, named !== undefined));
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
