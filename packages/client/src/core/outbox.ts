/**
 * Requests on their way up (RQ-1, RQ-3, RQ-4, RQ-5).
 *
 *   queued ─sent─▶ sent ─response─▶ settled
 *     ▲              ├──retryable──▶ retrying ─due─▶ queued
 *     └──loss────────┘              deadline: sent ever → timeout (outcome unknown), else unavailable
 *   saving ─saved─▶ queued          a stored one is written down before it waits, and again before it is sent
 *
 * Invariants: each request has one outcome; its id and text stay what they were first sent with, so a
 * repeat is the same request; those of a lane take effect in order or not at all. The id is made at the
 * first sending, on the server's clock; a stored request leaves only after its id was written down, so a
 * reload repeats it and never makes it anew. The state is owned by the core and changed in place; where it is
 * kept is the shell's, so nothing here holds a promise.
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
import { outboxEntriesMax, savingRetryMs } from "./limits.ts";

export interface Entry {
  readonly key: number;
  readonly method: string;
  /** JSON. */
  readonly params: string;
  readonly lane: string | undefined;
  readonly timeoutMs: number;
  /** The nearest earlier unsettled request of the lane; undefined once it has a result (RQ-4). */
  after: Entry | undefined;
  phase: "saving" | "queued" | "sent" | "retrying";
  /** Undefined while it was never sent. `text`: the whole message. */
  sent: NamedRequest | undefined;
  deadlineMs: number;
  retryAtMs: number | undefined;
  tries: number;
  internals: number;
  lastError: ErrorBody | undefined;
  /** The one before it ended without a result, so a retryable answer is final for it. */
  orphaned: boolean;
  /** What the storage has of it: nothing, the request, or its id too. Only the last may be sent. */
  stored: "no" | "unsent" | "named";
}

export interface Outbox {
  readonly entries: Map<number, Entry>;
  readonly byId: Map<string, Entry>;
  underWay: number;
}

export interface OutboxContext {
  readonly now: number;
  readonly random: Random;
  readonly out: SessionEffect[];
}

export interface NewRequest {
  readonly key: number;
  readonly method: string;
  readonly params: string;
  readonly lane: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly durable: boolean;
  /** Waits for `saved` before it may be sent. */
  readonly isSaved?: boolean;
  /** It lived before: in the storage, or with another owner of the socket (RQ-3). */
  readonly before?: {
    readonly named: NamedRequest | undefined;
    readonly stored: Entry["stored"];
    /** For how long it has waited unsent, ms. */
    readonly waitedMs: number;
  };
}

export function makeOutbox(): Outbox {
  return { entries: new Map(), byId: new Map(), underWay: 0 };
}

/** False where the outbox is full: nothing was queued. */
export function addRequest(outbox: Outbox, request: NewRequest, now: number, serverOffsetMs: number): boolean {
  if (outbox.entries.size >= outboxEntriesMax) return false;
  const { key, method, params, lane, before } = request;
  const named = before?.named;
  const timeoutMs = request.timeoutMs ?? limits.requestDeadlineMs;
  const after = lane === undefined ? undefined : lastOfLane(outbox, lane);
  // Unsent, it waits as long as it would for its answer; a durable one 1 h (RQ-3).
  const keptMs = (request.durable ? limits.durableRequestKeptMs : timeoutMs) - (before?.waitedMs ?? 0);
  const deadlineMs = named === undefined ? now + keptMs : named.deadline - serverOffsetMs;
  const fresh = {
    retryAtMs: undefined,
    tries: 0,
    internals: 0,
    lastError: undefined,
    orphaned: false,
  } as const;
  const entry: Entry = {
    key,
    method,
    params,
    lane,
    timeoutMs,
    after,
    deadlineMs,
    phase: request.isSaved ? "saving" : "queued",
    sent: named,
    stored: before?.stored ?? "no",
    ...fresh,
  };
  outbox.entries.set(key, entry);
  if (named !== undefined) outbox.byId.set(named.id, entry);
  return true;
}

/** Sends what may be sent, in the order in which it was asked. `serverOffsetMs`: our clock to the server's. */
export function flushOutbox(
  outbox: Outbox,
  underWayMax: number,
  serverOffsetMs: number,
  { now, random, out }: OutboxContext,
): void {
  for (const entry of outbox.entries.values()) {
    if (outbox.underWay >= underWayMax) return;
    // One whose predecessor waits for a retry would only be refused (RQ-4).
    if (entry.phase !== "queued" || (entry.after !== undefined && entry.after.phase !== "sent")) continue;
    if (entry.sent === undefined) {
      const id = uuidv7(now + serverOffsetMs, random.bytes(10));
      entry.deadlineMs = now + entry.timeoutMs;
      const deadline = Math.ceil(entry.deadlineMs + serverOffsetMs);
      entry.sent = { id, text: requestText(entry, id, deadline), deadline };
      outbox.byId.set(id, entry);
      out.push({ kind: "requestNamed", key: entry.key, named: entry.sent });
    }
    if (entry.stored === "unsent") {
      entry.phase = "saving";
      out.push({ kind: "saveRequest", key: entry.key, named: entry.sent });
      continue;
    }
    entry.phase = "sent";
    outbox.underWay += 1;
    out.push({ kind: "send", text: entry.sent.text });
  }
}

/** The storage has answered: for the request itself, or for the id under which it goes out. */
export function noteSaved(outbox: Outbox, key: number, ok: boolean, now: number): void {
  const entry = outbox.entries.get(key);
  if (entry === undefined || entry.phase !== "saving") return;
  entry.phase = "queued";
  if (entry.sent === undefined) {
    if (ok) entry.stored = "unsent";
  } else if (ok) entry.stored = "named";
  else {
    // Sent without its id written down, a reload would make it a second time.
    entry.phase = "retrying";
    entry.retryAtMs = now + savingRetryMs;
  }
}

/** The connection is gone: what was under way is sent again, in its first order (RQ-3). */
export function requeue(outbox: Outbox): void {
  outbox.underWay = 0;
  for (const entry of outbox.entries.values()) if (entry.phase === "sent") entry.phase = "queued";
}

export function readResponse(outbox: Outbox, message: Response, context: OutboxContext): void {
  const entry = outbox.byId.get(message.id);
  // One that is not under way has left, or was answered already.
  if (entry === undefined || entry.phase !== "sent") return;
  const { error } = message;
  outbox.underWay -= 1;
  entry.phase = "retrying";
  if (error === undefined) {
    settle(outbox, entry, message.result, undefined, context);
    return;
  }
  entry.lastError = error;
  if (error.code === "internal") entry.internals += 1;
  if (entry.orphaned && error.retryable) {
    settle(outbox, entry, undefined, afterFailed(entry), context);
    return;
  }
  if (!error.retryable || entry.internals > limits.internalRetriesMax) {
    settle(outbox, entry, undefined, ProtocolError.fromBody(error), context);
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
    if (!outbox.entries.has(entry.key)) continue;
    if (context.now >= entry.deadlineMs) leave(outbox, entry, context);
    else if (entry.retryAtMs !== undefined && context.now >= entry.retryAtMs) retryNow(entry);
  }
}

/** A new credential counts: who was refused for the old one need not wait (RQ-5). */
export function retryUnauthenticated(outbox: Outbox): void {
  for (const entry of outbox.entries.values())
    if (entry.phase === "retrying" && entry.lastError?.code === "unauthenticated") retryNow(entry);
}

/** The person took it back: nothing happened, if it was never sent. True where it could be withdrawn. */
export function withdraw(outbox: Outbox, key: number, context: OutboxContext): boolean {
  const entry = outbox.entries.get(key);
  if (entry === undefined || entry.sent !== undefined) return false;
  settle(
    outbox,
    entry,
    undefined,
    new ProtocolError("unavailable", `${entry.method}: withdrawn before it was sent`, {
      details: { reason: "withdrawn" },
    }),
    context,
  );
  return true;
}

/** The end of the session, or of its identity: every request hears what is known of it. */
export function abandonOutbox(outbox: Outbox, why: string, context: OutboxContext): void {
  for (const entry of [...outbox.entries.values()].reverse())
    settle(outbox, entry, undefined, unfinished(entry, why), context);
}

export function outboxDueMs(outbox: Outbox): number | undefined {
  let due: number | undefined;
  for (const { deadlineMs, retryAtMs } of outbox.entries.values())
    due = Math.min(due ?? deadlineMs, deadlineMs, retryAtMs ?? deadlineMs);
  return due;
}

/** The nearest earlier unsettled request of a lane (RQ-4): one that left in between leaves those before it. */
function lastOfLane(outbox: Outbox, lane: string): Entry | undefined {
  let last: Entry | undefined;
  for (const entry of outbox.entries.values()) if (entry.lane === lane) last = entry;
  return last;
}

function requestText(entry: Entry, id: string, deadline: number): string {
  const after = entry.after?.sent === undefined ? "" : `"after":"${entry.after.sent.id}",`;
  return `{"type":"request","id":"${id}","method":${JSON.stringify(entry.method)},${after}"deadline":${deadline},"params":${entry.params}}`;
}

function retryNow(entry: Entry): void {
  entry.phase = "queued";
  entry.retryAtMs = undefined;
}

function leave(outbox: Outbox, entry: Entry, context: OutboxContext): void {
  settle(
    outbox,
    entry,
    undefined,
    unfinished(entry, entry.sent === undefined ? "no connection in time" : "no answer in time"),
    context,
  );
}

/** `timeout` means: outcome unknown. What was never sent has a known one: nothing happened. */
function unfinished(entry: Entry, why: string): ProtocolError {
  const details = entry.lastError === undefined ? {} : { details: { last: entry.lastError.code } };
  return entry.sent === undefined
    ? new ProtocolError("unavailable", `${entry.method}: ${why}; it was not sent`)
    : new ProtocolError("timeout", `${entry.method}: ${why}; its outcome is unknown`, details);
}

function settle(
  outbox: Outbox,
  entry: Entry,
  result: unknown,
  error: ProtocolError | undefined,
  context: OutboxContext,
): void {
  if (entry.phase === "sent") outbox.underWay -= 1;
  outbox.entries.delete(entry.key);
  if (entry.sent !== undefined) outbox.byId.delete(entry.sent.id);
  context.out.push({ kind: "settleRequest", key: entry.key, result, error });
  for (const follower of outbox.entries.values()) {
    if (follower.after !== entry) continue;
    follower.after = undefined;
    if (error !== undefined) failBehind(outbox, follower, entry, error, context);
    else if (follower.phase === "retrying") retryNow(follower);
  }
}

/** RQ-4: what follows a request that has no result must not take its place. */
function failBehind(outbox: Outbox, follower: Entry, entry: Entry, error: ProtocolError, context: OutboxContext): void {
  const unknown = error.code === "timeout" && follower.sent !== undefined;
  if (unknown) {
    settle(outbox, follower, undefined, unfinished(follower, `${entry.method} before it had no answer`), context);
    return;
  }
  // Under way, the server refuses it by itself; its answer is awaited, but not its retry.
  if (follower.phase === "sent") follower.orphaned = true;
  else settle(outbox, follower, undefined, afterFailed(follower), context);
}

function afterFailed(entry: Entry): ProtocolError {
  return new ProtocolError("conflict", `${entry.method}: the request before it had no result`, {
    details: { reason: "after_failed" },
  });
}
