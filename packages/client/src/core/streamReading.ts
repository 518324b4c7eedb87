/**
 * What the server says of one stream, and what each local reader is given of it (ST-3…ST-8, ST-18).
 *
 * Invariant (I1): a subscriber is given `cursor + 1` only, so what it is given is a contiguous run; a reset or a
 * snapshot is the only jump, and it is told. Nothing is buffered: who is behind asks again from the lowest cursor,
 * and who has an event already drops it. The state is owned by the core and changed in place.
 */
import {
  type Cursor,
  type ErrorBody,
  type Events,
  type From,
  type Pending,
  ProtocolError,
  type Snapshot,
  type Subscribed,
} from "@holdfast/protocol";
import type { AppliedEvent } from "../api.ts";
import { requestRepair } from "./repair.ts";
import type { SessionContext } from "./sessionCore.ts";
import { activeOf } from "./stream.ts";
import type { Stream, Subscriber } from "./streamState.ts";
import { giveSnapshot, isBehind, resetSubscriber } from "./subscriber.ts";

/** ST-3: where the reading goes on, or starts anew. */
export function readSubscribed(stream: Stream, message: Subscribed, context: SessionContext): void {
  if (message.sub !== stream.sub) return;
  const position = { epoch: message.epoch, offset: message.offset };
  stream.answered = true;
  stream.epoch = message.epoch;
  stream.head = message.head;
  stream.pending = undefined;
  stream.parts = undefined;
  if (stream.repair.underWay) context.counts.gapsRepaired += 1;
  stream.repair.underWay = false;
  // Judged was the lowest cursor, if any was asked: who stands above it in the history that is asks for itself.
  const { offset: lowest = -1 } = stream.asked as Partial<Cursor>;
  for (const subscriber of stream.subscribers) {
    const { cursor } = subscriber;
    if (cursor === undefined) continue;
    const reason = cursor.epoch !== message.epoch ? "epoch" : cursor.offset > lowest ? undefined : message.reset;
    if (reason !== undefined) resetSubscriber(subscriber, reason, message.lost, context.out);
  }
  const asked = message.reset === undefined ? stream.asked : "latest";
  if (message.snapshot !== undefined) {
    stream.parts = { total: message.snapshot, read: 0, data: {}, position };
  } else {
    for (const subscriber of activeOf(stream)) {
      if (subscriber.cursor === undefined && subscriber.from === asked) subscriber.cursor = position;
    }
    askForWhoIsBehind(stream, position, asked, context);
  }
}

/** ST-3: a part; the whole is given when the last one is there. */
export function readSnapshot(stream: Stream, message: Snapshot, context: SessionContext): void {
  if (message.sub !== stream.sub || stream.parts === undefined) return;
  const { parts } = stream;
  if (message.part !== parts.read + 1) {
    requestRepair(stream, context);
    return;
  }
  parts.read += 1;
  for (const [key, value] of Object.entries(message.data)) {
    const before = parts.data[key];
    parts.data[key] = Array.isArray(before) && Array.isArray(value) ? before.concat(value) : value;
  }
  if (parts.read < parts.total) return;
  stream.parts = undefined;
  for (const subscriber of activeOf(stream)) {
    if (!subscriber.takesSnapshots && (subscriber.cursor !== undefined || subscriber.from !== "latest")) continue;
    giveSnapshot(subscriber, parts.data, { cursor: parts.position, head: stream.head }, context.out);
  }
  askForWhoIsBehind(stream, parts.position, "latest", context);
}

/** ST-4, ST-5: each subscriber gets `cursor + 1` onwards; lower is dropped, higher is a gap. */
export function readEvents(stream: Stream, message: Events, context: SessionContext): void {
  context.counts.received += message.events.length;
  if (!stream.answered) return;
  if (stream.parts !== undefined) {
    requestRepair(stream, context);
    return;
  }
  stream.pending = undefined;
  stream.head = message.head;
  const events = placed(stream.name, message);
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  let gap = false;
  for (const subscriber of activeOf(stream)) {
    const { cursor } = subscriber;
    if (cursor === undefined || cursor.epoch !== stream.epoch) continue;
    gap = give(stream, subscriber, cursor, events, context) || gap;
    lowest = Math.min(lowest, cursor.offset);
    highest = Math.max(highest, subscriber.cursor?.offset ?? 0);
  }
  // All that some reader here took is one run: from the lowest cursor as it was to the highest as it is.
  for (const { through } of events) {
    if (through <= lowest) context.counts.duplicatesSuppressed += 1;
    else if (through <= highest) context.counts.applied += 1;
  }
  if (gap) requestRepair(stream, context);
}

/** ST-7, ST-8: the server completes it by itself. */
export function readPending(stream: Stream, message: Pending): void {
  if (message.sub === stream.sub) stream.pending = message.reason;
}

/** ST-18: asked again with the next connection, or later where it may be retried. */
export function readRefused(stream: Stream, sub: number | undefined, error: ErrorBody, context: SessionContext): void {
  if (sub !== stream.sub) return;
  stream.refused = ProtocolError.fromBody(error);
  stream.answered = false;
  // It is an answer: nothing of this stream waits for the store any more.
  stream.pending = undefined;
  if (error.retryable) requestRepair(stream, context, error.retryAfter);
}

/** CL-3: nothing of this stream is still to be answered. */
export function isSettled(stream: Stream): boolean {
  const answered = stream.answered && stream.parts === undefined && stream.pending === undefined;
  return (!stream.stale && (answered || stream.refused !== undefined)) || activeOf(stream).length === 0;
}

function placed(stream: string, message: Events): AppliedEvent[] {
  let next = message.offset;
  return message.events.map((event) => {
    const offset = event.offset ?? next;
    const through = Math.max(offset, event.through ?? offset);
    next = through + 1;
    return { ...event, stream, offset, through };
  });
}

/** Gives one subscriber what follows its cursor. True: something in between is missing. */
function give(
  stream: Stream,
  subscriber: Subscriber,
  cursor: Cursor,
  events: readonly AppliedEvent[],
  context: SessionContext,
): boolean {
  let { offset } = cursor;
  let gap = false;
  if (offset >= (subscriber.isolateThrough ?? offset)) subscriber.isolateThrough = undefined;
  const applied: AppliedEvent[] = [];
  for (const event of events) {
    if (event.through <= offset) continue;
    gap = event.offset !== offset + 1;
    if (gap) break;
    offset = event.through;
    // ST-10: a removed run only moves the cursor.
    if (event.event !== "skipped") applied.push(event);
  }
  if (offset === cursor.offset) return gap;
  subscriber.cursor = { epoch: cursor.epoch, offset };
  if (applied.length > 0) {
    subscriber.before = { cursor };
    const position = { cursor: subscriber.cursor, head: stream.head };
    const oneByOne = subscriber.isolateThrough !== undefined;
    context.out.push({ kind: "deliver", subscriber, events: applied, position, oneByOne });
  }
  return gap;
}

/** Who was not served by this answer asks for itself; where the server could have served it, as after a gap. */
function askForWhoIsBehind(stream: Stream, position: Cursor, asked: From | undefined, context: SessionContext): void {
  if (!activeOf(stream).some((subscriber) => isBehind(subscriber, position))) return;
  if (typeof asked === "string") stream.stale = true;
  else requestRepair(stream, context);
}
