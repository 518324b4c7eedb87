/**
 * The text of a frame as the server wrote it: decoded once, however many readers share its bytes.
 *
 * Server frames are unmasked text frames (RFC 6455 section 5.2). The fingerprint of the text is kept beside it, so
 * that a frame to a hundred readers costs one pass over its characters.
 */
import { hash } from "../core/dice.ts";

export interface Decoded {
  readonly text: string;
  readonly hash: number;
}

const decoded = new WeakMap<Uint8Array, Decoded>();

export function decodeFrame(frame: Uint8Array): Decoded {
  const known = decoded.get(frame);
  if (known !== undefined) return known;
  const length = frame[1] ?? 0;
  const header = length < 126 ? 2 : length === 126 ? 4 : 10;
  const text = Buffer.from(frame.buffer, frame.byteOffset + header, frame.length - header).toString();
  const fresh = { text, hash: hash(text) };
  decoded.set(frame, fresh);
  return fresh;
}
