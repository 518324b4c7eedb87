/**
 * Requests on their way up (RQ-1, RQ-3, RQ-5).
 *
 *   queued ─sent─▶ sent ─response─▶ settled
 *     ▲              ├──retryable──▶ retrying ─due─▶ queued
 *     └──loss────────┘              deadline: sent ever → timeout (outcome unknown), else unavailable
 *
 * Invariants: each request has one outcome; its id and text stay what they were first sent with, so a repeat is
 * the same request. The id is made at the first sending, on the server's clock. A request that has a keeper goes
 * when that lets it: it may follow others, or be written down first (`durable/`). The state is owned by the core and
 * changed in place; nothing here holds a promise.
 */
import {
  type ErrorBody,
  limits,
  makeId,
  ProtocolError,
  type Random,
  type Response,
  readRetryAfter,
} from "@holdfast/protocol";
import type { NamedRequest } from "../storage/port.ts";
import { jittered } from "./backoff.ts";
import type { SessionEffect } from "./effects.ts";
import { outboxEntriesMax } from "./limits.ts";

/** A request as it was asked for. The object itself names it from then on. */
export interface Asked {
  readonly method: string;
  /** JSON. */
  readonly params: string;
  /** ms from the first sending; 30 s where undefined (RQ-3). */
  readonly timeoutMs: number | undefined;
  /** Hears the outcome, once: the error, or the result where there is none. */
  readonly settled: (result: unknown, error: ProtocolError | undefined) => void;
  /** How long it may wait unsent, ms: as long as for its answer where undefined. */
  readonly unsentMs?: number;
  /** It lived before, and went out as this. */
  readonly named?: NamedRequest | undefined;
  /** Looked at when it is named: the id that somebody else gave it, and the id that it follows (RQ-4). */
  readonly id?: string | undefined;
  readonly after?: string | undefined;
  readonly keeper?: Keeper | undefined;
}

/** Says when a request may go, and what its outcome means for others. A plain one has none. */
export interface Keeper {
  /** It is in the outbox now. */
  added(outbox: Outbox, entry: Entry): void;
  /** Before each sending. False: not now. `name` gives the id under which it goes out, and makes it the first time. */
  maySend(entry: Entry, name: () => NamedRequest, context: OutboxContext): boolean;
  settled(outbox: Outbox, entry: Entry, error: ProtocolError | undefined, context: OutboxContext): void;
}

export interface Entry {
  readonly asked: Asked;
  readonly timeoutMs: number;
  /** The unsettled request that it must follow (RQ-4); undefined once that has a result. */
  after?: Entry | undefined;
  /** `kept`: until its keeper queues it. */
  phase: "kept" | "queued" | "sent" | "retrying";
  /** Undefined while it was never sent. */
  named: NamedRequest | undefined;
  deadlineMs: number;
  retryAtMs?: number | undefined;
  tries: number;
  internals: number;
  lastError?: ErrorBody;
  /** Why no answer is worth a retry any more. */
  orphaned?: ProtocolError;
}

export interface Outbox {
  /** In the order in which they were asked. */
  readonly entries: Map<Asked, Entry>;
}

export interface OutboxContext {
  readonly now: number;
  readonly random: Random;
  readonly out: SessionEffect[];
}

/** `serverOffsetMs`: our clock to the server's. */
export function addRequest(outbox: Outbox, asked: Asked, serverOffsetMs: number, context: OutboxContext): void {
  const { method, named, timeoutMs = limits.requestDeadlineMs, unsentMs = timeoutMs } = asked;
  if (outbox.entries.size >= outboxEntriesMax) {
    tell(asked, new ProtocolError("queue_full", `${method}: ${outboxEntriesMax} requests wait`), context);
    return;
  }
  const entry: Entry = {
    asked,
    timeoutMs,
    phase: "queued",
    named,
    deadlineMs: named === undefined ? context.now + unsentMs : named.deadline - serverOffsetMs,
    tries: 0,
    internals: 0,
  };
  outbox.entries.set(asked, entry);
  asked.keeper?.added(outbox, entry);
}

/** Sends what may be sent, in the order in which it was asked. */
export function flushOutbox(outbox: Outbox, underWayMax: number, serverOffsetMs: number, context: OutboxContext): void {
  const entries = [...outbox.entries.values()];
  let underWay = entries.filter(isUnderWay).length;
  for (const entry of entries) {
    if (underWay >= underWayMax) return;
    const name = (): NamedRequest => nameRequest(entry, serverOffsetMs, context);
    if (entry.phase !== "queued" || entry.asked.keeper?.maySend(entry, name, context) === false) continue;
    entry.phase = "sent";
    underWay += 1;
    context.out.push({ kind: "send", text: name().text });
  }
}

/** The connection is gone: what was under way is sent again, in its first order (RQ-3). */
export function requeue(outbox: Outbox): void {
  for (const entry of outbox.entries.values()) if (isUnderWay(entry)) entry.phase = "queued";
}

export function readResponse(outbox: Outbox, { id, result, error }: Response, context: OutboxContext): void {
  // One that is not under way has left, or was answered already.
  const entry = [...outbox.entries.values()].find((one) => isUnderWay(one) && one.named?.id === id);
  if (entry === undefined) return;
  entry.phase = "retrying";
  if (error === undefined) {
    settle(outbox, entry, undefined, context, result);
    return;
  }
  entry.lastError = error;
  if (error.code === "internal") entry.internals += 1;
  const isFinal = !error.retryable || entry.internals > limits.internalRetriesMax;
  const outcome = isFinal ? ProtocolError.fromBody(error) : entry.orphaned;
  if (outcome !== undefined) {
    settle(outbox, entry, outcome, context);
    return;
  }
  // One that waits for its predecessor is due when that one settles, not before.
  entry.retryAtMs =
    entry.after === undefined
      ? context.now + (readRetryAfter(error.retryAfter) ?? jittered(entry.tries, context.random))
      : undefined;
  entry.tries += 1;
}

/** Deadlines and retries that are due by now. */
export function outboxDue(outbox: Outbox, context: OutboxContext): void {
  for (const entry of [...outbox.entries.values()]) {
    if (!outbox.entries.has(entry.asked)) continue;
    if (context.now >= entry.deadlineMs)
      settle(outbox, entry, unfinished(entry, entry.named === undefined ? "no connection" : "no answer"), context);
    else if (entry.retryAtMs !== undefined && context.now >= entry.retryAtMs) retryNow(entry);
  }
}

/** A new credential counts: who was refused for the old one need not wait (RQ-5). */
export function retryUnauthenticated(outbox: Outbox): void {
  for (const entry of outbox.entries.values())
    if (entry.phase === "retrying" && entry.lastError?.code === "unauthenticated") retryNow(entry);
}

/** The person took it back: nothing happened, if it was never sent. */
export function withdraw(outbox: Outbox, asked: Asked, context: OutboxContext): void {
  const entry = outbox.entries.get(asked);
  if (entry !== undefined && entry.named === undefined) settle(outbox, entry, withdrawn(asked.method), context);
}

export function withdrawn(method: string): ProtocolError {
  const details = { reason: "withdrawn" };
  return new ProtocolError("unavailable", `${method}: withdrawn before it was sent`, { details });
}

/** The end of the session, or of its identity: every request hears what is known of it. */
export function abandonOutbox(outbox: Outbox, why: string, context: OutboxContext): void {
  for (const entry of [...outbox.entries.values()].reverse()) settle(outbox, entry, unfinished(entry, why), context);
}

/** When to look again, monotonic ms. */
export function outboxDueMs(outbox: Outbox): number {
  let due = Number.POSITIVE_INFINITY;
  for (const { deadlineMs, retryAtMs = deadlineMs } of outbox.entries.values())
    due = Math.min(due, deadlineMs, retryAtMs);
  return due;
}

/** What it goes out as: made at the first sending, and the same ever after. */
function nameRequest(entry: Entry, serverOffsetMs: number, { now, random }: OutboxContext): NamedRequest {
  if (entry.named !== undefined) return entry.named;
  const { method, params, id = makeId(now + serverOffsetMs, random), after = entry.after?.named?.id } = entry.asked;
  entry.deadlineMs = now + entry.timeoutMs;
  const deadline = Math.ceil(entry.deadlineMs + serverOffsetMs);
  const head = JSON.stringify({ type: "request", id, method, after, deadline });
  entry.named = { id, text: `${head.slice(0, -1)},"params":${params}}`, deadline };
  return entry.named;
}

export function retryNow(entry: Entry): void {
  entry.phase = "queued";
  entry.retryAtMs = undefined;
}

/** `timeout` means: outcome unknown. What was never sent has a known one: nothing happened. */
export function unfinished({ asked: { method }, named, lastError }: Entry, why: string): ProtocolError {
  return named === undefined
    ? new ProtocolError("unavailable", `${method}: ${why}; it was not sent`)
    : new ProtocolError("timeout", `${method}: ${why}; its outcome is unknown`, {
        details: lastError && { last: lastError.code },
      });
}

/** It has its outcome: an error, or the result. */
export function settle(
  outbox: Outbox,
  entry: Entry,
  error: ProtocolError | undefined,
  context: OutboxContext,
  result?: unknown,
): void {
  const { asked } = entry;
  outbox.entries.delete(asked);
  tell(asked, error, context, result);
  asked.keeper?.settled(outbox, entry, error, context);
}

function isUnderWay({ phase }: Entry): boolean {
  return phase === "sent";
}

function tell({ settled }: Asked, error: ProtocolError | undefined, { out }: OutboxContext, result?: unknown): void {
  out.push({ kind: "tell", tell: () => settled(result, error) });
}
