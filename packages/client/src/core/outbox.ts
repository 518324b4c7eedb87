/**
 * Requests on their way up (RQ-1, RQ-3, RQ-4, RQ-5).
 *
 *   queued ─sent─▶ sent ─response─▶ settled
 *     ▲              ├──retryable──▶ retrying ─due─▶ queued
 *     └──loss────────┘              deadline: sent ever → timeout (outcome unknown), else unavailable
 *
 * Invariants: each request has one outcome; its id and text stay what they were first sent with, so a repeat is
 * the same request; those of a lane take effect in order or not at all. The id is made at the first sending, on
 * the server's clock. Who keeps a request elsewhere too is asked before it goes (`Keeper`). The state is owned by
 * the core and changed in place; nothing here holds a promise.
 */
import {
  type ErrorBody,
  limits,
  ProtocolError,
  type Random,
  type Response,
  readRetryAfter,
  uuidv7,
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
  readonly lane: string | undefined;
  /** ms from the first sending; 30 s where undefined (RQ-3). */
  readonly timeoutMs: number | undefined;
  /** Hears the outcome, once: the error, or the result where there is none. */
  readonly settled: (result: unknown, error: ProtocolError | undefined) => void;
  /** How long it may wait unsent, ms: as long as for its answer where undefined. */
  readonly unsentMs?: number;
  /** It lived before, and went out as this. */
  readonly named?: NamedRequest | undefined;
  readonly keeper?: Keeper | undefined;
}

/** Keeps a request where it outlives this session, and so must know of its id before the server does. */
export interface Keeper {
  /** Before each sending. False: not now; it says itself when `entry` is queued again. */
  maySend(entry: Entry, named: NamedRequest, context: OutboxContext): boolean;
  /** False: it waits before it is queued at all. */
  readonly isReady: boolean;
}

export interface Entry {
  readonly asked: Asked;
  readonly timeoutMs: number;
  /** The nearest earlier unsettled request of the lane; undefined once it has a result (RQ-4). */
  after: Entry | undefined;
  /** `kept`: its keeper has not let it go yet. */
  phase: "kept" | "queued" | "sent" | "retrying";
  /** Undefined while it was never sent. */
  named: NamedRequest | undefined;
  deadlineMs: number;
  retryAtMs: number | undefined;
  tries: number;
  internals: number;
  lastError: ErrorBody | undefined;
  /** The one before it ended without a result, so a retryable answer is final for it. */
  orphaned: boolean;
}

export interface Outbox {
  readonly entries: Map<Asked, Entry>;
  readonly byId: Map<string, Entry>;
  underWay: number;
}

export interface OutboxContext {
  readonly now: number;
  readonly random: Random;
  readonly out: SessionEffect[];
}

export function makeOutbox(): Outbox {
  return { entries: new Map(), byId: new Map(), underWay: 0 };
}

/** `serverOffsetMs`: our clock to the server's. */
export function addRequest(outbox: Outbox, asked: Asked, serverOffsetMs: number, context: OutboxContext): void {
  const { method, lane, named, timeoutMs = limits.requestDeadlineMs, unsentMs = timeoutMs } = asked;
  if (outbox.entries.size >= outboxEntriesMax) {
    tell(asked, new ProtocolError("queue_full", `${method}: ${outboxEntriesMax} requests wait already`), context);
    return;
  }
  const entry: Entry = {
    asked,
    timeoutMs,
    after: lane === undefined ? undefined : lastOfLane(outbox, lane),
    phase: asked.keeper?.isReady === false ? "kept" : "queued",
    named,
    deadlineMs: named === undefined ? context.now + unsentMs : named.deadline - serverOffsetMs,
    retryAtMs: undefined,
    tries: 0,
    internals: 0,
    lastError: undefined,
    orphaned: false,
  };
  outbox.entries.set(asked, entry);
  if (named !== undefined) outbox.byId.set(named.id, entry);
}

/** Sends what may be sent, in the order in which it was asked. */
export function flushOutbox(outbox: Outbox, underWayMax: number, serverOffsetMs: number, context: OutboxContext): void {
  for (const entry of outbox.entries.values()) {
    if (outbox.underWay >= underWayMax) return;
    const { asked, after, phase } = entry;
    // One whose predecessor waits for a retry would only be refused (RQ-4).
    if (phase !== "queued" || (after !== undefined && after.phase !== "sent")) continue;
    entry.named ??= nameRequest(outbox, entry, serverOffsetMs, context);
    if (asked.keeper?.maySend(entry, entry.named, context) === false) {
      entry.phase = "kept";
      continue;
    }
    entry.phase = "sent";
    outbox.underWay += 1;
    context.out.push({ kind: "send", text: entry.named.text });
  }
}

/** The connection is gone: what was under way is sent again, in its first order (RQ-3). */
export function requeue(outbox: Outbox): void {
  outbox.underWay = 0;
  for (const entry of outbox.entries.values()) if (entry.phase === "sent") entry.phase = "queued";
}

export function readResponse(outbox: Outbox, { id, result, error }: Response, context: OutboxContext): void {
  const entry = outbox.byId.get(id);
  // One that is not under way has left, or was answered already.
  if (entry === undefined || entry.phase !== "sent") return;
  outbox.underWay -= 1;
  entry.phase = "retrying";
  if (error === undefined) {
    settle(outbox, entry, undefined, context, result);
    return;
  }
  entry.lastError = error;
  if (error.code === "internal") entry.internals += 1;
  if (entry.orphaned && error.retryable) {
    settle(outbox, entry, afterFailed(entry), context);
    return;
  }
  if (!error.retryable || entry.internals > limits.internalRetriesMax) {
    settle(outbox, entry, ProtocolError.fromBody(error), context);
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
      settle(
        outbox,
        entry,
        unfinished(entry, entry.named === undefined ? "no connection in time" : "no answer in time"),
        context,
      );
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

/** The nearest earlier unsettled request of a lane (RQ-4): one that left in between leaves those before it. */
function lastOfLane(outbox: Outbox, lane: string): Entry | undefined {
  let last: Entry | undefined;
  for (const entry of outbox.entries.values()) if (entry.asked.lane === lane) last = entry;
  return last;
}

/** The first sending: from here on it is this request, whatever happens. */
function nameRequest(
  outbox: Outbox,
  entry: Entry,
  serverOffsetMs: number,
  { now, random }: OutboxContext,
): NamedRequest {
  const { method, params } = entry.asked;
  const id = uuidv7(now + serverOffsetMs, random.bytes(10));
  entry.deadlineMs = now + entry.timeoutMs;
  const deadline = Math.ceil(entry.deadlineMs + serverOffsetMs);
  const head = JSON.stringify({ type: "request", id, method, after: entry.after?.named?.id, deadline });
  outbox.byId.set(id, entry);
  return { id, text: `${head.slice(0, -1)},"params":${params}}`, deadline };
}

function retryNow(entry: Entry): void {
  entry.phase = "queued";
  entry.retryAtMs = undefined;
}

/** `timeout` means: outcome unknown. What was never sent has a known one: nothing happened. */
function unfinished({ asked: { method }, named, lastError }: Entry, why: string): ProtocolError {
  return named === undefined
    ? new ProtocolError("unavailable", `${method}: ${why}; it was not sent`)
    : new ProtocolError("timeout", `${method}: ${why}; its outcome is unknown`, {
        details: lastError && { last: lastError.code },
      });
}

function settle(
  outbox: Outbox,
  entry: Entry,
  error: ProtocolError | undefined,
  context: OutboxContext,
  result?: unknown,
): void {
  if (entry.phase === "sent") outbox.underWay -= 1;
  outbox.entries.delete(entry.asked);
  if (entry.named !== undefined) outbox.byId.delete(entry.named.id);
  tell(entry.asked, error, context, result);
  for (const follower of outbox.entries.values()) {
    if (follower.after !== entry) continue;
    follower.after = undefined;
    if (error !== undefined) failBehind(outbox, follower, entry, error, context);
    else if (follower.phase === "retrying") retryNow(follower);
  }
}

function tell({ settled }: Asked, error: ProtocolError | undefined, { out }: OutboxContext, result?: unknown): void {
  out.push({ kind: "tell", tell: () => settled(result, error) });
}

/** RQ-4: what follows a request that has no result must not take its place. */
function failBehind(outbox: Outbox, follower: Entry, entry: Entry, error: ProtocolError, context: OutboxContext): void {
  if (error.code === "timeout" && follower.named !== undefined)
    settle(outbox, follower, unfinished(follower, `${entry.asked.method} before it had no answer`), context);
  // Under way, the server refuses it by itself; its answer is awaited, but not its retry.
  else if (follower.phase === "sent") follower.orphaned = true;
  else settle(outbox, follower, afterFailed(follower), context);
}

function afterFailed({ asked }: Entry): ProtocolError {
  const details = { reason: "after_failed" };
  return new ProtocolError("conflict", `${asked.method}: the request before it had no result`, { details });
}
