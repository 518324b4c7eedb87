/**
 * One stream as this client reads it: one subscription on the wire, any number of local subscribers, each
 * with a cursor of its own (ST-2…ST-6).
 *
 *   unasked ─ask─▶ asked ─subscribed─▶ (snapshot parts) ─▶ reading ─gap─▶ repair due ─▶ asked
 *
 * What is asked, and who reads, is here; what the server answers is read in `streamReading.ts`. The state is
 * owned by the core and changed in place; there is no clock and no socket here.
 */
import type { From } from "@holdfast/protocol";
import type { SessionEffect } from "./effects.ts";
import type { Stream, Subscriber } from "./streamState.ts";
import { refreshStatus } from "./subscriber.ts";

/** Nothing of it is asked on this connection. */
const unasked = {
  sub: undefined,
  asked: undefined,
  answered: false,
  parts: undefined,
  pending: undefined,
  refused: undefined,
  stale: false,
} as const;

export function makeStream(name: string): Stream {
  const repair = { recentMs: [], underWay: false };
  return { name, subscribers: new Set(), head: 0, repair, ...unasked };
}

export function addSubscriber(stream: Stream, subscriber: Subscriber): void {
  stream.subscribers.add(subscriber);
  stream.stale = true;
}

/** What to ask for all who read: a snapshot for who wants one, else the lowest cursor (ST-2). */
export function lowestFrom(stream: Stream): From | undefined {
  const active = activeOf(stream);
  const without = active.filter((subscriber) => subscriber.cursor === undefined);
  if (without.some((subscriber) => subscriber.from === "latest")) return "latest";
  if (without.length > 0) return "start";
  return active.flatMap((subscriber) => subscriber.cursor ?? []).sort((one, other) => one.offset - other.offset)[0];
}

/** Notes that `from` goes out under `sub`, or that nothing is asked; all else of the stream is ignored until its echo. */
export function noteAsked(stream: Stream, sub?: number, from?: From): void {
  Object.assign(stream, unasked, { sub, asked: from });
  stream.repair.atMs = undefined;
}

/** The connection is gone; cursors stay. */
export function noteLost(stream: Stream, out: SessionEffect[]): void {
  noteAsked(stream);
  stream.stale = true;
  refreshStatus(stream, out);
}

export function activeOf(stream: Stream): Subscriber[] {
  return [...stream.subscribers].filter(({ stopped }) => stopped === undefined);
}
