/**
 * What a welcome, a loss, a change of identity and the end mean for streams, outbox and producers; and
 * what they have to say whenever they may speak.
 */
import { ProtocolError, type Welcome } from "@holdfast/protocol";
import { ask } from "./hello.ts";
import { abandonOutbox, flushOutbox, requeue } from "./outbox.ts";
import { flushProducer, rewindProducer, stopProducer } from "./producer.ts";
import { canSpeak, type SessionContext, type SessionCore, send, windows } from "./sessionCore.ts";
import { lowestFrom, noteLost } from "./stream.ts";
import type { StreamContext } from "./streamState.ts";
import { refreshStatus, resetSubscriber } from "./subscriber.ts";

/** Says what is to be said, in one order: subscriptions, acknowledgements, requests, publishes. */
export function flushRooms(core: SessionCore, context: SessionContext): void {
  const { out } = context;
  if (!canSpeak(core)) return;
  for (const stream of core.streams.values()) {
    if (!stream.stale) continue;
    const from = lowestFrom(stream);
    if (from !== undefined) send(context, { type: "subscribe", ...ask(core, stream, from) });
    else {
      if (stream.sub !== undefined) send(context, { type: "unsubscribe", stream: stream.name });
      Object.assign(stream, { sub: undefined, answered: false, parts: undefined, pending: undefined, stale: false });
      if (stream.subscribers.size === 0) core.streams.delete(stream.name);
    }
    refreshStatus(stream, out);
  }
  for (const text of core.whispers.values()) out.push({ kind: "send", text });
  core.whispers.clear();
  // An agent whose generation is not known yet buffers (OP-7).
  if (!core.agentNamed) return;
  const { requests, publishBytes } = windows(core);
  flushOutbox(core.outbox, requests, core.connection.memory.serverOffsetMs, context);
  let room = publishBytes;
  for (const producer of core.producers.values()) room -= producer.underWayBytes;
  for (const producer of core.producers.values()) {
    const before = producer.underWayBytes;
    flushProducer(producer, before + room, out);
    room -= producer.underWayBytes - before;
    if (producer.closing && producer.kept.length === 0) core.producers.delete(producer.key);
  }
}

export function welcomeRooms(core: SessionCore, welcome: Welcome, { now, out }: SessionContext): void {
  core.user = welcome.user;
  core.degraded = welcome.degraded;
  core.welcomes += 1;
  if (core.lostMs !== undefined) core.longestGapMs = Math.max(core.longestGapMs, Math.round(now - core.lostMs));
  core.lostMs = undefined;
  core.agentNamed = !core.isAgent || welcome.agent !== undefined;
  if (welcome.agent === undefined) return;
  core.agent = welcome.agent;
  out.push({ kind: "agentNamed", agent: welcome.agent });
}

/** The socket is gone; nothing else is. */
export function loseRooms(core: SessionCore, context: SessionContext): void {
  if (core.welcomes > 0) core.lostMs ??= context.now;
  core.agentNamed = false;
  const streamContext = contextOf(core, context);
  for (const stream of [...core.streams.values()]) {
    noteLost(stream, streamContext);
    if (stream.subscribers.size === 0) core.streams.delete(stream.name);
  }
  requeue(core.outbox);
  for (const producer of core.producers.values()) rewindProducer(producer);
}

/** OP-5: all that belongs to the former user goes; the subscribers stay, and start anew. */
export function dropIdentity(core: SessionCore, context: SessionContext): void {
  core.user = undefined;
  core.agent = undefined;
  abandonOutbox(core.outbox, "the session belongs to another user now", context);
  const gone = new ProtocolError("forbidden", "the session belongs to another user now");
  for (const producer of core.producers.values()) stopProducer(producer, gone, context.out);
  core.producers.clear();
  core.whispers.clear();
  for (const stream of core.streams.values()) {
    for (const subscriber of stream.subscribers.values()) resetSubscriber(subscriber, "epoch", undefined, context.out);
  }
  context.out.push({ kind: "identityChanged" });
}

/** The session is closed: everybody hears what is known. */
export function abandon(core: SessionCore, context: SessionContext): void {
  abandonOutbox(core.outbox, "the session was closed", context);
  const closed = new ProtocolError("unavailable", "the session was closed");
  for (const producer of core.producers.values()) stopProducer(producer, closed, context.out);
  core.producers.clear();
  core.streams.clear();
  core.subscribers.clear();
  core.whispers.clear();
}

/** CL-8: whether `close()` still has something to wait for. */
export function hasUnanswered(core: SessionCore): boolean {
  return core.outbox.entries.size > 0 || [...core.producers.values()].some((producer) => producer.kept.length > 0);
}

export function contextOf(core: SessionCore, { now, random, out }: SessionContext): StreamContext {
  return { now, random, out, counts: core.counts };
}

/** TR-3: larger than this it would close the connection instead of being judged. */
export function isTooLarge(text: string, bytesMax: number): boolean {
  return text.length > bytesMax || (text.length * 3 > bytesMax && new TextEncoder().encode(text).length > bytesMax);
}
