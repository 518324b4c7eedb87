/**
 * One producer of one stream: its events, from `publish` until they are decided (PB-1…PB-5).
 *
 *   queued ─sent─▶ under way ─published─▶ settled        loss, refusal: back to queued, from `expected`
 *
 * Invariants: sequences are contiguous from 1 and each event is decided once, in order; what is not
 * `published` is kept, so a resend is always possible and never has an effect twice (PB-2). A full buffer
 * asks the source to pause; nothing is dropped. The state is owned by the core and changed in place.
 */
import {
  assert,
  type ErrorBody,
  limits,
  ProtocolError,
  type Published,
  type Random,
  readRetryAfter,
} from "@holdfast/protocol";
import { jittered } from "../core/backoff.ts";
import type { SessionEffect } from "../core/effects.ts";
import {
  producerBufferBytesHardMax,
  publishBatchBytesMax,
  publishBatchEventsMax,
  publishedEventOverheadBytes,
} from "./limits.ts";

/** Hears of one event that it is decided: null, or why it was rejected. `stopped`: it never will be. */
export type Decided = (rejection: ProtocolError | null, stopped: boolean) => void;

interface Kept {
  /** Undefined for what the producer says of itself. */
  readonly decided: Decided | undefined;
  /** JSON of the event. */
  readonly text: string;
  readonly bytes: number;
}

export interface Producer {
  readonly stream: string;
  readonly hears: ProducerListeners;
  uuid: string;
  /** Not yet decided; the first has sequence `record + 1`. */
  kept: Kept[];
  /** All up to here is decided (PB-2). */
  record: number;
  /** The last sequence sent on this connection. */
  sentThrough: number;
  underWayBytes: number;
  /** Publishes on this connection that the server has not answered. */
  unanswered: number;
  /** A batch was refused: what was sent behind it is answered before anything is sent again. */
  settling: boolean;
  keptBytes: number;
  accepting: boolean;
  /** No more events; it goes once the last is decided. */
  closing: boolean;
  stopped: ProtocolError | undefined;
  retryAtMs: number | undefined;
  refusals: number;
  /** Values of `expected` already resent from, since the last progress (PB-3). */
  readonly resentFrom: Set<number>;
  /** The record is to be asked for: an empty publish. */
  asksRecord: boolean;
}

export interface ProducerListeners {
  /** PB-4: there is room again. */
  drained(): void;
  /** PB-3: it publishes nothing more, and why. */
  stopped(error: ProtocolError): void;
}

export interface ProducerContext {
  readonly now: number;
  readonly random: Random;
  readonly out: SessionEffect[];
  /** A fresh UUID, for a producer that must start anew. */
  readonly makeUuid: () => string;
}

export function makeProducer(stream: string, uuid: string, hears: ProducerListeners): Producer {
  return {
    stream,
    hears,
    uuid,
    kept: [],
    record: 0,
    sentThrough: 0,
    underWayBytes: 0,
    unanswered: 0,
    settling: false,
    keptBytes: 0,
    accepting: true,
    closing: false,
    stopped: undefined,
    retryAtMs: undefined,
    refusals: 0,
    resentFrom: new Set(),
    asksRecord: false,
  };
}

/** Queues one event's JSON. */
export function queueEvent(producer: Producer, text: string, decided: Decided): void {
  assert(
    producer.keptBytes <= producerBufferBytesHardMax,
    `the producer of ${producer.stream} keeps ${producer.keptBytes} bytes: wait for onDrain while it is not accepting`,
  );
  keep(producer, { decided, text, bytes: text.length + publishedEventOverheadBytes });
}

/** Sends what may be sent: batches of about 64 KiB, `windowBytesMax` under way. */
export function flushProducer(producer: Producer, windowBytesMax: number, out: SessionEffect[]): void {
  if (producer.stopped !== undefined || producer.retryAtMs !== undefined || producer.settling) return;
  const publish = (sequence: number, texts: readonly string[]): void => {
    producer.unanswered += 1;
    out.push({ kind: "send", text: publishText(producer, sequence, texts) });
  };
  if (producer.asksRecord) {
    producer.asksRecord = false;
    publish(producer.record + 1, []);
  }
  let index = producer.sentThrough - producer.record;
  while (index < producer.kept.length && producer.underWayBytes < windowBytesMax) {
    const texts: string[] = [];
    const sequence = producer.record + index + 1;
    let bytes = 0;
    for (let event = producer.kept[index]; event !== undefined; event = producer.kept[index]) {
      if (texts.length > 0 && (bytes + event.bytes > publishBatchBytesMax || texts.length >= publishBatchEventsMax))
        break;
      texts.push(event.text);
      bytes += event.bytes;
      index += 1;
    }
    producer.underWayBytes += bytes;
    producer.sentThrough = producer.record + index;
    publish(sequence, texts);
  }
}

/**
 * PB-2: cumulative; each event up to `sequence` is decided, in order. Beyond what is sent it tells that, but not how:
 * a refused batch was durable after all, and the answer to its repeat names what of it was rejected. So the repeat is
 * not sent while an answer to anything behind that batch could still be taken for the repeat's.
 */
export function readPublished(producer: Producer, message: Published, context: ProducerContext): void {
  if (message.producer !== producer.uuid) return;
  noteAnswer(producer);
  const through = Math.min(message.sequence, producer.sentThrough);
  if (through <= producer.record) return;
  const rejections = new Map(message.rejected?.map(({ sequence, error }) => [sequence, error]));
  const events = producer.kept.splice(0, through - producer.record);
  events.forEach(({ decided, bytes }, index) => {
    const sequence = producer.record + 1 + index;
    const rejection = rejections.get(sequence);
    producer.keptBytes -= bytes;
    if (sequence <= producer.sentThrough) producer.underWayBytes -= bytes;
    settleEvent(decided, rejection === undefined ? null : ProtocolError.fromBody(rejection), false, context.out);
  });
  producer.record = through;
  producer.sentThrough = Math.max(producer.sentThrough, through);
  producer.refusals = 0;
  producer.resentFrom.clear();
  if (!producer.accepting && producer.keptBytes <= limits.producerBufferBytesMax / 2 && !producer.closing) {
    producer.accepting = true;
    context.out.push({ kind: "tell", tell: () => producer.hears.drained() });
  }
}

/** PB-3: nothing of that batch was recorded. */
export function readPublishRefused(
  producer: Producer,
  sequence: number | undefined,
  error: ErrorBody,
  context: ProducerContext,
): void {
  if (producer.stopped !== undefined) return;
  noteAnswer(producer);
  if (error.code === "sequence_gap") {
    resend(producer, sequence, error, context);
    return;
  }
  if (!error.retryable) {
    stopProducer(producer, ProtocolError.fromBody(error), context.out);
    return;
  }
  const from = sequence ?? producer.record + 1;
  rewind(producer, from);
  producer.resentFrom.add(from);
  producer.settling = producer.unanswered > 0;
  waitToResend(producer, error.retryAfter, context);
}

/** The connection is gone: what is not `published` is sent again, and has no effect twice. */
export function rewindProducer(producer: Producer): void {
  rewind(producer, producer.record + 1);
  producer.unanswered = 0;
  producer.settling = false;
  producer.retryAtMs = undefined;
  producer.refusals = 0;
  producer.resentFrom.clear();
}

/** Every event hears that it will never be decided here; `publish` is refused from now on. */
export function stopProducer(producer: Producer, error: ProtocolError, out: SessionEffect[]): void {
  producer.stopped = error;
  producer.accepting = false;
  producer.retryAtMs = undefined;
  const { kept } = producer;
  Object.assign(producer, { kept: [], keptBytes: 0, underWayBytes: 0 });
  for (const { decided } of kept) settleEvent(decided, error, true, out);
  out.push({ kind: "tell", tell: () => producer.hears.stopped(error) });
}

function resend(producer: Producer, sequence: number | undefined, error: ErrorBody, context: ProducerContext): void {
  const expected = error.details?.["expected"];
  if (typeof expected !== "number" || !Number.isSafeInteger(expected) || expected < 1) {
    waitToResend(producer, error.retryAfter, context);
    return;
  }
  // A batch that was sent behind the refused one says the same again; the verdict on `expected` is on its way.
  if (producer.resentFrom.has(expected) && sequence !== expected && producer.sentThrough >= expected) return;
  if (expected <= producer.record) {
    startAnew(producer, expected, context);
    return;
  }
  if (expected > producer.record + producer.kept.length + 1) {
    stopProducer(
      producer,
      new ProtocolError(
        "sequence_gap",
        `${producer.stream}: the server expects ${expected}, which was never published`,
      ),
      context.out,
    );
    return;
  }
  // What lies before `expected` is decided, but how is not known here: the record tells.
  if (expected > producer.record + 1) producer.asksRecord = true;
  rewind(producer, expected);
  if (producer.resentFrom.has(expected)) {
    waitToResend(producer, error.retryAfter, context);
    return;
  }
  producer.resentFrom.add(expected);
}

/** The server asks for events that are gone: a new history of this producer, which says so (PB-3). */
function startAnew(producer: Producer, expected: number, context: ProducerContext): void {
  const { kept, record } = producer;
  const note = JSON.stringify({
    event: "note",
    data: { text: `Events ${expected} to ${record} of an earlier producer were lost by the server.` },
  });
  Object.assign(producer, {
    uuid: context.makeUuid(),
    kept: [],
    record: 0,
    sentThrough: 0,
    underWayBytes: 0,
    unanswered: 0,
    settling: false,
    keptBytes: 0,
  });
  producer.resentFrom.clear();
  keep(producer, { decided: undefined, text: note, bytes: note.length });
  for (const event of kept) keep(producer, event);
}

function waitToResend(producer: Producer, retryAfter: number | undefined, { now, random }: ProducerContext): void {
  if (producer.retryAtMs !== undefined) return;
  producer.retryAtMs = now + (readRetryAfter(retryAfter) ?? jittered(producer.refusals, random));
  producer.refusals += 1;
}

/** Every publish is answered once, on its connection. */
function noteAnswer(producer: Producer): void {
  producer.unanswered = Math.max(0, producer.unanswered - 1);
  if (producer.unanswered === 0) producer.settling = false;
}

function rewind(producer: Producer, sequence: number): void {
  const through = Math.max(producer.record, Math.min(producer.sentThrough, sequence - 1));
  for (const { bytes } of producer.kept.slice(through - producer.record, producer.sentThrough - producer.record))
    producer.underWayBytes -= bytes;
  producer.sentThrough = through;
}

function keep(producer: Producer, event: Kept): void {
  producer.kept.push(event);
  producer.keptBytes += event.bytes;
  if (producer.keptBytes > limits.producerBufferBytesMax) producer.accepting = false;
}

function settleEvent(
  decided: Decided | undefined,
  rejection: ProtocolError | null,
  stopped: boolean,
  out: SessionEffect[],
): void {
  if (decided !== undefined) out.push({ kind: "tell", tell: () => decided(rejection, stopped) });
}

function publishText(producer: Producer, sequence: number, texts: readonly string[]): string {
  return `{"type":"publish","stream":${JSON.stringify(producer.stream)},"producer":"${producer.uuid}","sequence":${sequence},"events":[${texts.join(",")}]}`;
}
