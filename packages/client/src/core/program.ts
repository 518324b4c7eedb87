/** What the program says to its session: subscriptions, calls, events to publish. */
import { assert, type Cursor, type From, limits, ProtocolError } from "@holdfast/protocol";
import { addRequest, type NewRequest, noteSaved, withdraw } from "./outbox.ts";
import { makeProducer, queueEvent, refuseEvent } from "./producer.ts";
import { isTooLarge } from "./rooms.ts";
import { canSpeak, makeUuid, refuseCall, type SessionContext, type SessionCore, windows } from "./sessionCore.ts";
import { addSubscriber, makeStream } from "./stream.ts";
import { refreshStatus, resumeSubscriber, stopSubscriber, type Throw } from "./subscriber.ts";

type Saying =
  | {
      readonly kind: "subscribe";
      readonly subscriber: number;
      readonly stream: string;
      readonly from: From;
      readonly takesSnapshots: boolean;
    }
  | { readonly kind: "unsubscribe"; readonly subscriber: number }
  /** A handler threw (ST-6). */
  | { readonly kind: "handlerThrew"; readonly subscriber: number; readonly thrown: Throw }
  | { readonly kind: "decided"; readonly subscriber: number; readonly decision: "retry" | "skip" }
  | { readonly kind: "call"; readonly request: NewRequest }
  /** The storage has written a request, or its id, down; or could not. */
  | { readonly kind: "saved"; readonly key: number; readonly ok: boolean }
  | { readonly kind: "withdraw"; readonly key: number }
  | { readonly kind: "produce"; readonly producer: number; readonly stream: string }
  /** `text`: the event's JSON. */
  | { readonly kind: "publish"; readonly producer: number; readonly text: string }
  | { readonly kind: "closeProducer"; readonly producer: number }
  | { readonly kind: "acknowledge"; readonly stream: string; readonly cursor: Cursor }
  | { readonly kind: "signal"; readonly stream: string; readonly signal: string; readonly data: unknown };

export type ProgramEvent = Saying & { readonly now: number };
const programEvents: Readonly<Record<Saying["kind"], true>> = {
  subscribe: true,
  unsubscribe: true,
  handlerThrew: true,
  decided: true,
  call: true,
  saved: true,
  withdraw: true,
  produce: true,
  publish: true,
  closeProducer: true,
  acknowledge: true,
  signal: true,
};

export function isProgramEvent(event: { readonly kind: string }): event is ProgramEvent {
  return Object.hasOwn(programEvents, event.kind);
}

export function stepProgram(core: SessionCore, event: ProgramEvent, context: SessionContext): void {
  const { now, out } = context;
  switch (event.kind) {
    case "subscribe":
      subscribe(core, event, context);
      return;
    case "unsubscribe":
      unsubscribe(core, event.subscriber);
      return;
    case "handlerThrew": {
      const stream = core.subscribers.get(event.subscriber);
      const subscriber = stream?.subscribers.get(event.subscriber);
      if (stream !== undefined && subscriber !== undefined) stopSubscriber(stream, subscriber, event.thrown, out);
      return;
    }
    case "decided": {
      const stream = core.subscribers.get(event.subscriber);
      const subscriber = stream?.subscribers.get(event.subscriber);
      if (stream !== undefined && subscriber !== undefined) resumeSubscriber(stream, subscriber, event.decision, out);
      return;
    }
    case "call": {
      const { key, method, params } = event.request;
      if (isTooLarge(params, limits.frameBytesMax - 1_024)) {
        refuseCall(
          context,
          key,
          new ProtocolError("too_large", `${method}: params exceed a frame`, {
            details: { limitBytes: limits.frameBytesMax },
          }),
        );
        return;
      }
      if (!addRequest(core.outbox, event.request, now, core.connection.memory.serverOffsetMs))
        refuseCall(
          context,
          key,
          new ProtocolError("queue_full", `${method}: too many requests wait for their answers`),
        );
      return;
    }
    case "saved":
      noteSaved(core.outbox, event.key, event.ok, now);
      return;
    case "withdraw":
      withdraw(core.outbox, event.key, context);
      return;
    case "produce":
      core.producers.set(event.producer, makeProducer(event.producer, event.stream, makeUuid(core, context)));
      return;
    case "publish":
      publish(core, event, context);
      return;
    case "closeProducer": {
      const producer = core.producers.get(event.producer);
      if (producer === undefined) return;
      producer.closing = true;
      producer.accepting = false;
      if (producer.kept.length === 0) core.producers.delete(event.producer);
      return;
    }
    case "acknowledge":
      core.whispers.set(`ack ${event.stream}`, JSON.stringify({ type: "ack", stream: event.stream, ...event.cursor }));
      return;
    case "signal":
      // Ephemeral: nothing is kept for a connection to come (ST-17).
      if (canSpeak(core))
        core.whispers.set(
          `${event.signal} ${event.stream}`,
          JSON.stringify({ type: "signal", stream: event.stream, signal: event.signal, data: event.data }),
        );
      return;
  }
}

function subscribe(core: SessionCore, event: ProgramEvent & { kind: "subscribe" }, { out }: SessionContext): void {
  const stream = core.streams.get(event.stream) ?? makeStream(event.stream);
  core.streams.set(event.stream, stream);
  addSubscriber(stream, event.subscriber, event.from, event.takesSnapshots);
  core.subscribers.set(event.subscriber, stream);
  refreshStatus(stream, out);
}

function unsubscribe(core: SessionCore, id: number): void {
  const stream = core.subscribers.get(id);
  if (stream === undefined) return;
  core.subscribers.delete(id);
  stream.subscribers.delete(id);
  if (stream.subscribers.size > 0) return;
  if (canSpeak(core)) stream.stale = true;
  else core.streams.delete(stream.name);
}

function publish(core: SessionCore, event: ProgramEvent & { kind: "publish" }, context: SessionContext): void {
  const producer = core.producers.get(event.producer);
  assert(
    producer !== undefined && producer.stopped === undefined,
    "a producer that was closed or stopped publishes nothing",
  );
  const { eventBytes } = windows(core);
  if (!isTooLarge(event.text, eventBytes)) {
    queueEvent(producer, event.text);
    return;
  }
  // It would close the connection instead of being judged (TR-3): decided here, without a sequence.
  const error = new ProtocolError("too_large", `${producer.stream}: the event exceeds ${eventBytes} bytes`, {
    details: { limitBytes: eventBytes },
  });
  refuseEvent(producer, error, context.out);
}
