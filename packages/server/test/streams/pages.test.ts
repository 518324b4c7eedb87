/** What was read a moment ago, for readers at the same place: bounded, and never of another time. */
import { describe, expect, it } from "vitest";
import { encodeTextFrame } from "../../src/gateway/frame.ts";
import type { EncodedPiece } from "../../src/store/port.ts";
import { type Channel, createChannel } from "../../src/streams/channel.ts";
import { createPages } from "../../src/streams/pages.ts";
import type { Reader } from "../../src/streams/reader.ts";

const piece = (text: string, span = 1): EncodedPiece => ({ bytes: new TextEncoder().encode(text), span });
const reader = (behind: boolean): Reader => ({
  cursor: 0,
  origin: undefined,
  behind,
  isPlain: false,
  hasRoom: () => true,
  write: () => {},
  pending: () => {},
  lost: () => {},
});
const textOf = (frame: { bytes: Uint8Array } | undefined): unknown =>
  frame === undefined ? undefined : JSON.parse(new TextDecoder().decode(frame.bytes.subarray(2)));

function channelAt(head: number): Channel {
  const channel = createChannel("default", "nötes");
  channel.head = head;
  channel.epoch = "one";
  return channel;
}

describe("pages of the log in memory", () => {
  it("[ST-11] gives each piece to who stands before it, once encoded for all", () => {
    const pages = createPages(encodeTextFrame);
    const channel = channelAt(9);
    pages.add(channel, 3, [piece('{"ä":1},{"b":2}', 2), piece("{}")], false);
    const frame = pages.frame(channel, 3);
    expect(frame).toMatchObject({ offset: 4, through: 5 });
    expect(textOf(frame)).toEqual([
      { type: "events", stream: "nötes", offset: 4, head: 9, events: [{ ä: 1 }, { b: 2 }] },
    ]);
    expect(pages.frame(channel, 3)).toBe(frame);
    expect(pages.frame(channel, 5)).toMatchObject({ offset: 6, through: 6 });
    expect(pages.frame(channel, 4)).toBeUndefined();
    expect(pages.end(channel, 5)).toBe(6);
  });

  it("[ST-4] names no head that was passed since: its reader would think itself live", () => {
    const pages = createPages(encodeTextFrame);
    const channel = channelAt(1);
    pages.add(channel, 0, [piece("{}")], false);
    expect(textOf(pages.frame(channel, 0))).toMatchObject([{ head: 1 }]);
    channel.head = 2;
    expect(textOf(pages.frame(channel, 0))).toMatchObject([{ head: 2 }]);
  });

  it("[ST-15] serves nothing of an epoch that has ended", () => {
    const pages = createPages(encodeTextFrame);
    const channel = channelAt(1);
    pages.add(channel, 0, [piece("{}")], false);
    channel.epoch = "two";
    expect(pages.frame(channel, 0)).toBeUndefined();
  });

  it("[security F6] keeps at most 32 MiB, the newest, and nothing when nobody is behind", () => {
    const pages = createPages(encodeTextFrame);
    const channel = channelAt(100);
    const slow = reader(true);
    channel.readers.add(slow);
    const big = piece("x".repeat(2 * 1024 * 1024));
    for (let offset = 0; offset < 20; offset += 1) pages.add(channel, offset, [big], false);
    const kept = Array.from({ length: 20 }, (_, offset) => pages.end(channel, offset) !== undefined);
    expect(kept.indexOf(true)).toBe(12);
    expect(kept.at(-1)).toBe(true);
    pages.prune();
    expect(pages.end(channel, 19)).toBe(20);
    slow.behind = false;
    pages.prune();
    expect(pages.end(channel, 19)).toBeUndefined();
  });
});
