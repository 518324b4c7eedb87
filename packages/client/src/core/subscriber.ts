/**
 * One local reader of a stream: its cursor, and what happens when its handler throws (ST-6).
 *
 *   reading ─throws─▶ stopped ─retry─▶ reading
 *                        └──skip──▶ one by one up to the event that throws, without it ─▶ reading
 *
 * The cursor is moved as events are handed over, and put back where the handler threw; what the program sees of it
 * moves together with its state, when its handler has returned (`before`). No automatic loop: only the program's
 * `retry` or `skip` goes on.
 */
import type { Cursor } from "@holdfast/protocol";
import type { SubscribeOptions, SubscriptionStatus } from "../api.ts";
import { type Decision, type Give, guard, type Position, type SessionEffect } from "./effects.ts";
import { keepIfEqual } from "./keepIfEqual.ts";
import type { Stream, Subscriber } from "./streamState.ts";

export function makeSubscriber(name: string, options: SubscribeOptions): Subscriber {
  const { from, onSnapshot } = options;
  const asksCursor = typeof from === "object";
  const waiting = { kind: "waiting" } as const;
  return {
    name,
    options,
    from: asksCursor ? "latest" : from,
    takesSnapshots: onSnapshot !== undefined && from === "latest",
    cursor: asksCursor ? from : undefined,
    status: waiting,
    shown: waiting,
    gone: false,
  };
}

/** ST-3: its state must go, whoever it is; a stopped one stays stopped. */
export function resetSubscriber(
  subscriber: Subscriber,
  reason: "epoch" | "trimmed",
  lost: number | undefined,
  out: SessionEffect[],
): void {
  if (subscriber.stopped !== undefined) subscriber.stopped.skipTo = undefined;
  subscriber.cursor = undefined;
  subscriber.isolateThrough = undefined;
  subscriber.from = "latest";
  give(subscriber, out, () => subscriber.options.onReset?.({ reason, lost }));
}

/** ST-3: the whole snapshot; a throw goes back to the cursor before it. */
export function giveSnapshot(
  subscriber: Subscriber,
  data: Readonly<Record<string, unknown>>,
  position: Position,
  out: SessionEffect[],
): void {
  subscriber.before = { cursor: subscriber.cursor };
  subscriber.cursor = position.cursor;
  give(subscriber, out, () => {
    subscriber.options.onSnapshot?.(data, position);
    subscriber.before = undefined;
  });
}

/** Where the handler threw: before `offset`; undefined for a snapshot. */
export interface Throw {
  readonly error: unknown;
  readonly at: { readonly offset: number; readonly through: number } | undefined;
}

/** The handler threw: back to before that event, and wait for the program's word (ST-6). */
export function stopSubscriber(
  stream: Stream,
  subscriber: Subscriber,
  { error, at }: Throw,
  out: SessionEffect[],
): void {
  const { cursor, before } = subscriber;
  subscriber.before = undefined;
  if (at !== undefined && cursor !== undefined && at.offset <= (subscriber.isolateThrough ?? 0)) {
    // `skip` was said of this one: it is left out, and the rest asked for again.
    subscriber.isolateThrough = undefined;
    subscriber.cursor = { epoch: cursor.epoch, offset: at.through };
    if (at.through < cursor.offset) stream.stale = true;
    return;
  }
  subscriber.stopped = { error, skipTo: cursor, single: at === undefined || at.through === cursor?.offset };
  if (at === undefined) subscriber.cursor = before?.cursor;
  else if (cursor !== undefined) subscriber.cursor = { epoch: cursor.epoch, offset: at.offset - 1 };
  refreshStatus(stream, out);
  const { onError } = subscriber.options;
  give(subscriber, out, (decide, tell) => {
    if (onError === undefined) tell(error);
    else guard(() => onError(error, { retry: () => decide("retry"), skip: () => decide("skip") }), tell);
  });
}

/** The program's word on a stopped subscriber. */
export function resumeSubscriber(
  stream: Stream,
  subscriber: Subscriber,
  decision: Decision,
  out: SessionEffect[],
): void {
  const { stopped } = subscriber;
  if (stopped === undefined) return;
  subscriber.stopped = undefined;
  if (decision === "skip" && stopped.skipTo !== undefined) {
    if (stopped.single) subscriber.cursor = stopped.skipTo;
    else subscriber.isolateThrough = stopped.skipTo.offset;
  }
  stream.stale = true;
  refreshStatus(stream, out);
}

/** Not served by an answer that goes on after `position`. */
export function isBehind(subscriber: Subscriber, position: Cursor): boolean {
  return subscriber.cursor === undefined || subscriber.cursor.offset < position.offset;
}

/** Tells each subscriber whose status changed. */
export function refreshStatus(stream: Stream, out: SessionEffect[]): void {
  for (const subscriber of stream.subscribers) {
    const status = keepIfEqual(subscriber.status, statusOf(stream, subscriber));
    if (status === subscriber.status) continue;
    subscriber.status = status;
    give(subscriber, out, (_, tell) => {
      subscriber.shown = status;
      guard(() => subscriber.options.onStatus?.(status), tell);
    });
  }
}

function give(subscriber: Subscriber, out: SessionEffect[], give: Give): void {
  out.push({ kind: "give", subscriber, give });
}

function statusOf(stream: Stream, subscriber: Subscriber): SubscriptionStatus {
  if (subscriber.stopped !== undefined) return { kind: "stopped", error: subscriber.stopped.error };
  if (stream.refused !== undefined) return { kind: "refused", error: stream.refused };
  if (stream.pending !== undefined) return { kind: "pending", reason: stream.pending };
  if (!stream.answered || stream.parts !== undefined || subscriber.cursor === undefined) return { kind: "waiting" };
  const behind = stream.head - subscriber.cursor.offset;
  return behind > 0 ? { kind: "catchingUp", behind } : { kind: "live" };
}
