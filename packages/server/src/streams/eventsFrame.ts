/** The `events` message as frames, encoded once and shared by all readers at the same cursor (ST-4, TR-3). */
import { limits } from "@holdfast/protocol";
import type { EncodedEvent, EncodedPiece } from "../store/port.ts";
import { takeBytes } from "./tail.ts";

/** Makes bytes for the transport of the JSON text of one frame; some of it may be bytes already. */
export type EncodeFrame = (json: string, body?: Uint8Array, rest?: string) => Uint8Array;

export interface EventsFrame {
  /** Offset of its first and its last event. */
  readonly offset: number;
  readonly through: number;
  readonly bytes: Uint8Array;
}

/** Cuts a run that starts at `offset` into frames of about `frameTargetBytes`. */
export function framesOf(
  stream: string,
  offset: number,
  head: number,
  events: readonly EncodedEvent[],
  encode: EncodeFrame,
): EventsFrame[] {
  const frames: EventsFrame[] = [];
  let index = 0;
  let first = offset;
  while (index < events.length) {
    const part = takeBytes(events, index, limits.frameTargetBytes);
    const through = part.reduce((last, event) => last + event.span, first - 1);
    const json = `${opening(stream, first, Math.max(head, through))}${part.map((event) => event.json).join(",")}${closing}`;
    frames.push({ offset: first, through, bytes: encode(json) });
    index += part.length;
    first = through + 1;
  }
  return frames;
}

/** The frame of a piece that the store has joined already. */
export function frameOfPiece(
  stream: string,
  offset: number,
  head: number,
  { bytes, span }: EncodedPiece,
  encode: EncodeFrame,
): EventsFrame {
  const through = offset + span - 1;
  return { offset, through, bytes: encode(opening(stream, offset, Math.max(head, through)), bytes, closing) };
}

const closing = "]}]";

function opening(stream: string, offset: number, head: number): string {
  return `[{"type":"events","stream":${JSON.stringify(stream)},"offset":${offset},"head":${head},"events":[`;
}
