/**
 * One stream on this node: its head, its hot tail, and who reads it.
 *
 * Life cycle: made at the first subscription, without a position until the store has told one; events that
 * commit meanwhile are kept in the tail; dropped when nobody has read it for a while and memory is wanted.
 * Invariants: a reader is fed only above its own cursor and never past what is durable (ST-13); nothing is
 * queued for a reader, only its cursor is kept (ST-11). A channel knows no sockets and no users.
 */

import { encodeEvent } from "../store/encodedEvent.ts";
import type { Appended, StreamPosition } from "../store/port.ts";
import { type EncodeFrame, type EventsFrame, framesOf } from "./eventsFrame.ts";
import type { Reader } from "./reader.ts";
import { createTail, type Tail } from "./tail.ts";

export interface Channel {
  readonly workspace: string;
  readonly stream: string;
  readonly tail: Tail;
  readonly readers: Set<Reader>;
  /** The offset of the last durable event that this node knows of. */
  head: number;
  /** undefined until the store has told it. */
  epoch: string | undefined;
  /** Everything up to here was removed by retention, as the store last told. */
  trimmed: number;
}

export function createChannel(workspace: string, stream: string): Channel {
  return { workspace, stream, tail: createTail(), readers: new Set(), head: 0, epoch: undefined, trimmed: 0 };
}

/** What the store says may be older or newer than what was delivered meanwhile: the higher head holds. */
export function learnPosition(channel: Channel, position: StreamPosition): void {
  if (channel.epoch !== undefined && channel.epoch !== position.epoch) channel.head = 0;
  channel.epoch = position.epoch;
  channel.trimmed = position.trimmed;
  channel.head = Math.max(channel.head, position.head);
}

/**
 * Takes a committed run and writes it to every live reader: one frame for all that stand right before it.
 * Readers without room, or not at the run's start, become `behind` and are passed to `fallBehind`. Returns how
 * many readers it was written to.
 */
export function acceptRun(
  channel: Channel,
  run: Appended,
  encode: EncodeFrame,
  fallBehind: (reader: Reader) => void,
): number {
  const encoded = run.events.map(encodeEvent);
  const through = run.offset + encoded.length - 1;
  channel.tail.accept(run.offset, encoded);
  channel.head = Math.max(channel.head, through);
  let frames: readonly EventsFrame[] | undefined;
  let written = 0;
  for (const reader of channel.readers) {
    if (reader.behind || reader.cursor >= through) continue;
    if (reader.cursor !== run.offset - 1 || !reader.hasRoom()) {
      reader.behind = true;
      fallBehind(reader);
      continue;
    }
    frames ??= framesOf(channel.stream, run.offset, channel.head, encoded, encode);
    for (const frame of frames) reader.write(frame.bytes);
    reader.cursor = through;
    written += 1;
  }
  return written;
}
