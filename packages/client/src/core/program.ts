/** What a program says to its session, each as a function of the core: the shell has it run as one event (`said`). */
import { limits, ProtocolError } from "@holdfast/protocol";
import type { Decision } from "./effects.ts";
import { type Asked, addRequest } from "./outbox.ts";
import { isTooLarge } from "./rooms.ts";
import { canSpeak, type SessionContext, type SessionCore } from "./sessionCore.ts";
import { addSubscriber, makeStream } from "./stream.ts";
import type { Subscriber } from "./streamState.ts";
import { resumeSubscriber, stopSubscriber, type Throw } from "./subscriber.ts";

export function subscribe(core: SessionCore, subscriber: Subscriber): void {
  const { name } = subscriber;
  const stream = core.streams.get(name) ?? makeStream(name);
  core.streams.set(name, stream);
  addSubscriber(stream, subscriber);
}

export function unsubscribe(core: SessionCore, subscriber: Subscriber): void {
  const stream = core.streams.get(subscriber.name);
  if (!stream?.subscribers.delete(subscriber) || stream.subscribers.size > 0) return;
  if (canSpeak(core)) stream.stale = true;
  else core.streams.delete(subscriber.name);
}

/** A handler threw (ST-6), or the program has decided what becomes of it. */
export function judge(
  core: SessionCore,
  subscriber: Subscriber,
  word: Throw | Decision,
  { out }: SessionContext,
): void {
  const stream = core.streams.get(subscriber.name);
  if (!stream?.subscribers.has(subscriber)) return;
  if (typeof word === "string") resumeSubscriber(stream, subscriber, word, out);
  else stopSubscriber(stream, subscriber, word, out);
}

export function call(core: SessionCore, asked: Asked, context: SessionContext): void {
  const { method, params, settled } = asked;
  if (isTooLarge(params, limits.frameBytesMax - 1_024)) {
    const details = { limitBytes: limits.frameBytesMax };
    const error = new ProtocolError("too_large", `${method}: params exceed a frame`, { details });
    context.out.push({ kind: "tell", tell: () => settled(undefined, error) });
  } else addRequest(core.outbox, asked, core.connection.serverOffsetMs, context);
}

/** Ephemeral: nothing is kept for a connection to come (ST-17). */
export function signal(core: SessionCore, stream: string, signal: string, data: unknown): void {
  if (canSpeak(core))
    core.whispers.set(`${signal} ${stream}`, JSON.stringify({ type: "signal", stream, signal, data }));
}
