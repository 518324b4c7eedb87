/**
 * A sink that gives each frame's text, or only its beginning where that is enough to count.
 *
 * Copying every byte of every reader would measure the readers: `isLong` says of a frame's beginning that it
 * is a run of events, of which the length tells all.
 */
import type { FrameSink } from "./webSocket.ts";

export interface FrameTextHandlers {
  /** Whether this beginning (latin1, {@link beginningBytes}) is enough. */
  readonly isLong: (beginning: string) => boolean;
  readonly long: (beginning: string, payloadBytes: number) => void;
  readonly whole: (text: string) => void;
  readonly ended: (detail: string) => void;
}

export const beginningBytes = 160;

export function createFrameText({ isLong, long, whole, ended }: FrameTextHandlers): FrameSink {
  let bytes = 0;
  let isCounted = false;
  let isFirst = true;
  let pieces: Buffer[] = [];
  return {
    frameBegins(payloadBytes) {
      bytes = payloadBytes;
      isCounted = false;
      isFirst = true;
      pieces = [];
    },
    piece(chunk, start, end) {
      if (isCounted) return;
      if (isFirst && end - start >= beginningBytes) {
        const beginning = chunk.toString("latin1", start, start + beginningBytes);
        if (isLong(beginning)) {
          isCounted = true;
          long(beginning, bytes);
          return;
        }
      }
      isFirst = false;
      pieces.push(Buffer.from(chunk.subarray(start, end)));
    },
    frameEnds() {
      if (!isCounted) whole(Buffer.concat(pieces).toString());
    },
    ended,
  };
}
