/**
 * What a welcome, a loss, a change of identity and the end mean for the rooms of a session; and what they have to
 * say whenever they may speak.
 */
import { limits, ProtocolError, type Welcome } from "@holdfast/protocol";
import { send } from "./effects.ts";
import { ask } from "./hello.ts";
import { abandonOutbox, flushOutbox, requeue } from "./outbox.ts";
import { canSpeak, type SessionContext, type SessionCore } from "./sessionCore.ts";
import { lowestFrom, noteAsked, noteLost } from "./stream.ts";
import { refreshStatus, resetSubscriber } from "./subscriber.ts";

/** Says what is to be said, in one order: subscriptions, acknowledgements and signals, requests, publishes. */
export function flushRooms(core: SessionCore, context: SessionContext): void {
  const { out } = context;
  if (!canSpeak(core)) return;
  for (const stream of core.streams.values()) {
    if (!stream.stale) continue;
    const from = lowestFrom(stream);
    if (from !== undefined) send(context, { type: "subscribe", ...ask(core, stream, from) });
    else {
      if (stream.sub !== undefined) send(context, { type: "unsubscribe", stream: stream.name });
      noteAsked(stream);
      if (stream.subscribers.size === 0) core.streams.delete(stream.name);
    }
    refreshStatus(stream, out);
  }
  for (const text of core.whispers.values()) out.push({ kind: "send", text });
  core.whispers.clear();
  // An agent whose generation is not known yet buffers (OP-7).
  if (core.room?.maySpeak === false) return;
  const { state, serverOffsetMs } = core.connection;
  const underWayMax = state.kind === "open" ? state.welcome.limits.requests : limits.requestsUnderWayMax;
  flushOutbox(core.outbox, underWayMax, serverOffsetMs, context);
  core.room?.flush(core, context);
}

export function welcomeRooms(core: SessionCore, welcome: Welcome, context: SessionContext): void {
  const { counts, lostMs } = core;
  core.user = welcome.user;
  core.degraded = welcome.degraded;
  // `hello` has told the figures up to here.
  core.reportedMs = context.now;
  core.lostMs = undefined;
  if (lostMs !== undefined) {
    counts.reconnects += 1;
    counts.longestGapMs = Math.max(counts.longestGapMs, Math.round(context.now - lostMs));
  }
  core.room?.welcomed(core, welcome, context);
}

/** The socket is gone; nothing else is. `wasOpen`: a gap begins. */
export function loseRooms(core: SessionCore, wasOpen: boolean, context: SessionContext): void {
  if (wasOpen) core.lostMs = context.now;
  for (const stream of core.streams.values()) {
    noteLost(stream, context.out);
    if (stream.subscribers.size === 0) core.streams.delete(stream.name);
  }
  requeue(core.outbox);
  core.room?.lose();
}

/** OP-5: all that belongs to the former user goes; the subscribers stay, and start anew. */
export function dropIdentity(core: SessionCore, context: SessionContext): void {
  core.user = undefined;
  drop(core, new ProtocolError("forbidden", "the session is another user's"), context);
  for (const stream of core.streams.values()) {
    for (const subscriber of stream.subscribers) resetSubscriber(subscriber, "epoch", undefined, context.out);
  }
  context.out.push({ kind: "tell", tell: core.listeners.identityChanged });
}

/** The session is closed: everybody hears what is known. */
export function abandon(core: SessionCore, context: SessionContext): void {
  drop(core, new ProtocolError("unavailable", "the session is closed"), context);
  core.streams.clear();
}

function drop(core: SessionCore, why: ProtocolError, context: SessionContext): void {
  abandonOutbox(core.outbox, why.message, context);
  core.room?.abandon(why, context);
  core.whispers.clear();
}

/** CL-8: whether `close()` has nothing more to wait for. */
export function isAnswered(core: SessionCore): boolean {
  return core.outbox.entries.size === 0 && !core.room?.isBusy;
}

/** TR-3: larger than this it would close the connection instead of being judged. */
export function isTooLarge(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && new TextEncoder().encode(text).length > bytesMax;
}
