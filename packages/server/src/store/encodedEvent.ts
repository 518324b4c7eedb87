/**
 * Events as they go into a frame: their JSON text, made once, and how many offsets it covers.
 *
 * The store joins what it reads into pieces of about a frame's size, in its own thread, as bytes that change
 * hands without a copy: thousands of objects, or their texts on the heap, cost more than reading them.
 */
import type { EncodedEvent, EncodedPiece, StoredEvent } from "./port.ts";

export function encodeEvent({ event, at, json, keyframe, range }: StoredEvent): EncodedEvent {
  if (range === undefined) return { json: encodedJson(event, at, json, keyframe), span: 1 };
  const covers = `,"offset":${range.offset},"through":${range.through}`;
  return {
    json: `${encodedJson(event, at, json, keyframe).slice(0, -1)}${covers}}`,
    span: range.through - range.offset + 1,
  };
}

/** `json`: the event's `data` as text. */
export function encodedJson(event: string, at: number, json: string, keyframe: string | undefined): string {
  const scope = keyframe === undefined ? "" : `,"keyframe":${JSON.stringify(keyframe)}`;
  return `{"event":${JSON.stringify(event)},"at":${at},"data":${json}${scope}}`;
}

export interface Joiner {
  readonly bytes: number;
  add(json: string, span: number): void;
  finish(): EncodedPiece[];
}

/** Joins neighbours into pieces of at most `pieceBytesMax`, or of one event that is larger. */
export function createJoiner(pieceBytesMax: number): Joiner {
  const pieces: { readonly json: string; readonly span: number }[] = [];
  let json = "";
  let span = 0;
  const close = (): void => {
    if (span > 0) pieces.push({ json, span });
    span = 0;
  };
  const joiner = {
    bytes: 0,
    add(text: string, covers: number) {
      if (span > 0 && json.length + text.length > pieceBytesMax) close();
      json = span === 0 ? text : `${json},${text}`;
      span += covers;
      joiner.bytes += text.length;
    },
    finish() {
      close();
      return inOneBuffer(pieces);
    },
  };
  return joiner;
}

function inOneBuffer(pieces: readonly { readonly json: string; readonly span: number }[]): EncodedPiece[] {
  const sizes = pieces.map(({ json }) => Buffer.byteLength(json));
  const all = Buffer.from(new ArrayBuffer(sizes.reduce((sum, size) => sum + size, 0)));
  let at = 0;
  return pieces.map(({ json, span }, index) => {
    const end = at + (sizes[index] ?? 0);
    all.write(json, at, "utf8");
    const bytes = new Uint8Array(all.buffer, at, end - at);
    at = end;
    return { bytes, span };
  });
}

export function joinedEvents(events: readonly StoredEvent[], pieceBytesMax: number): EncodedPiece[] {
  const joiner = createJoiner(pieceBytesMax);
  for (const event of events) {
    const { json, span } = encodeEvent(event);
    joiner.add(json, span);
  }
  return joiner.finish();
}
