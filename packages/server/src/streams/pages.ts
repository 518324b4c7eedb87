/**
 * What was read of the log a moment ago, for readers that come by the same place: a bounded cache of pages.
 *
 * A page is one read: pieces of about a frame that follow each other. A piece becomes a frame when the first
 * reader takes it, and all later ones share the bytes. Invariants: at most {@link pagesBytesMax} in all, the
 * oldest page goes first, and all go when nobody is behind any more; a page of another epoch is never served; a frame never claims a head that was
 * passed since, or its reader would think itself live (ST-4).
 */
import type { EncodedPiece } from "../store/port.ts";
import type { Channel } from "./channel.ts";
import { type EncodeFrame, type EventsFrame, frameOfPiece } from "./eventsFrame.ts";

const pagesBytesMax = 32 * 1024 * 1024;

interface Piece {
  readonly encoded: EncodedPiece;
  readonly isTrimmed: boolean;
  frame: EventsFrame | undefined;
  /** The head that the frame names. */
  head: number;
}

interface Page {
  readonly channel: Channel;
  readonly epoch: string | undefined;
  /** By the cursor that they continue. */
  readonly pieces: ReadonlyMap<number, Piece>;
  readonly through: number;
  readonly bytes: number;
}

export interface Pages {
  /** `isTrimmed`: all of the stream up to its first event is removed. */
  add(channel: Channel, offset: number, pieces: readonly EncodedPiece[], isTrimmed: boolean): void;
  /** The frame that continues `cursor`, if its page is here. */
  frame(channel: Channel, cursor: number): EventsFrame | undefined;
  /** What comes after `cursor` is a removed beginning. */
  isTrimmed(channel: Channel, cursor: number): boolean;
  /** Where the page that holds `cursor` ends. */
  end(channel: Channel, cursor: number): number | undefined;
  /** Drops the pages of channels that no reader is behind on. */
  prune(): void;
  clear(): void;
}

export function createPages(encode: EncodeFrame): Pages {
  /** The oldest first. */
  const pages = new Set<Page>();
  let bytes = 0;

  const drop = (page: Page): void => {
    if (pages.delete(page)) bytes -= page.bytes;
  };
  const find = (channel: Channel, cursor: number): Page | undefined => {
    for (const page of pages) {
      if (page.channel !== channel || !page.pieces.has(cursor)) continue;
      if (page.epoch === channel.epoch) return page;
      drop(page);
    }
    return undefined;
  };

  return {
    add(channel, offset, run, isTrimmed) {
      const pieces = new Map<number, Piece>();
      let cursor = offset;
      let size = 0;
      for (const encoded of run) {
        pieces.set(cursor, { encoded, isTrimmed: isTrimmed && cursor === offset, frame: undefined, head: 0 });
        cursor += encoded.span;
        // Its bytes, and the frame that will be made of it.
        size += 2 * encoded.bytes.length;
      }
      pages.add({ channel, epoch: channel.epoch, pieces, through: cursor, bytes: size });
      bytes += size;
      // One page is kept whatever its size: somebody waits for it.
      for (const oldest of pages) {
        if (bytes <= pagesBytesMax || pages.size === 1) break;
        drop(oldest);
      }
    },
    frame(channel, cursor) {
      const piece = find(channel, cursor)?.pieces.get(cursor);
      if (piece === undefined) return undefined;
      const through = cursor + piece.encoded.span;
      const isPassed = piece.head === through && channel.head > through;
      if (piece.frame === undefined || isPassed) {
        piece.head = Math.max(channel.head, through);
        piece.frame = frameOfPiece(channel.stream, cursor + 1, channel.head, piece.encoded, encode);
      }
      return piece.frame;
    },
    isTrimmed: (channel, cursor) => find(channel, cursor)?.pieces.get(cursor)?.isTrimmed === true,
    end: (channel, cursor) => find(channel, cursor)?.through,
    prune() {
      for (const page of pages) if (!hasReaderBehind(page.channel)) drop(page);
    },
    clear() {
      pages.clear();
      bytes = 0;
    },
  };
}

function hasReaderBehind({ readers }: Channel): boolean {
  for (const reader of readers) if (reader.behind) return true;
  return false;
}
