/**
 * What a program says to its session, each as a function of the core: the shell has it run as one event (`said`).
 *
 * Ids of subscribers are the shell's, and new with each.
 */
import { limits, ProtocolError } from "@holdfast/protocol";
import type { SubscribeOptions } from "../api.ts";
import { type Asked, addRequest } from "./outbox.ts";
import { isTooLarge } from "./rooms.ts";
import { canSpeak, type SessionContext, type SessionCore } from "./sessionCore.ts";
import { addSubscriber, makeStream } from "./stream.ts";
import { refreshStatus, resumeSubscriber, stopSubscriber, type Throw } from "./subscriber.ts";

export function subscribe(
  core: SessionCore,
  id: number,
  name: string,
  { from, onSnapshot }: SubscribeOptions,
  { out }: SessionContext,
): void {
  const stream = core.streams.get(name) ?? makeStream(name);
  core.streams.set(name, stream);
  addSubscriber(stream, id, from, onSnapshot !== undefined);
  core.subscribers.set(id, stream);
  refreshStatus(stream, out);
}

export function unsubscribe(core: SessionCore, id: number): void {
  const stream = core.subscribers.get(id);
  core.subscribers.delete(id);
  stream?.subscribers.delete(id);
  if (stream === undefined || stream.subscribers.size > 0) return;
  if (canSpeak(core)) stream.stale = true;
  else core.streams.delete(stream.name);
}

/** A handler threw (ST-6), or the program has decided what becomes of it. */
export function judge(core: SessionCore, id: number, word: Throw | "retry" | "skip", { out }: SessionContext): void {
  const stream = core.subscribers.get(id);
  const subscriber = stream?.subscribers.get(id);
  if (stream === undefined || subscriber === undefined) return;
  if (typeof word === "string") resumeSubscriber(stream, subscriber, word, out);
  else stopSubscriber(stream, subscriber, word, out);
}

export function call(core: SessionCore, asked: Asked, context: SessionContext): void {
  const { method, params, settled } = asked;
  if (isTooLarge(params, limits.frameBytesMax - 1_024)) {
    const details = { limitBytes: limits.frameBytesMax };
    const error = new ProtocolError("too_large", `${method}: params exceed a frame`, { details });
    context.out.push({ kind: "tell", tell: () => settled(undefined, error) });
  } else addRequest(core.outbox, asked, core.connection.memory.serverOffsetMs, context);
}

/** Ephemeral: nothing is kept for a connection to come (ST-17). */
export function signal(core: SessionCore, stream: string, signal: string, data: unknown): void {
  if (canSpeak(core))
    core.whispers.set(`${signal} ${stream}`, JSON.stringify({ type: "signal", stream, signal, data }));
}
