/**
 * A reader that was too slow for the retention: what comes next is removed, and it is told so (ST-11).
 *
 * Seen red: with readers fed over the removed beginning; with the page of one from the start given to all.
 */
import { describe, expect, it } from "vitest";
import { encodeTextFrame } from "../../src/gateway/frame.ts";
import type { Log } from "../../src/observe/log.ts";
import type { EncodedRun } from "../../src/store/port.ts";
import { createHub } from "../../src/streams/hub.ts";
import type { Reader } from "../../src/streams/reader.ts";
import { healthy } from "../support/health.ts";
import { createSimClock } from "../support/simClock.ts";

const [workspace, stream] = ["default", "log"];
const [head, trimmed] = [10, 4];
const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} } as unknown as Log;
const piece = (text: string, span: number) => ({ bytes: new TextEncoder().encode(text), span });

/** Ten events, of which retention has removed the first four. */
function openHub() {
  const clock = createSimClock();
  const position = { epoch: "one", head, trimmed, acknowledged: 0 };
  const store = {
    position: async () => position,
    positions: async (names: readonly unknown[]) => names.map(() => position),
    read: async (_workspace: string, _stream: string, offset: number): Promise<EncodedRun> => {
      const gone = Math.max(0, trimmed - offset);
      const skipped = `{"event":"skipped","at":0,"data":null,"offset":${offset + 1},"through":${trimmed}}`;
      const left = Array.from({ length: head - offset - gone }, () => piece('{"event":"text","at":0,"data":"x"}', 1));
      return {
        offset: offset + 1,
        pieces: gone > 0 ? [piece(skipped, gone), ...left] : left,
        beginsRemoved: gone > 0,
      };
    },
  };
  return { clock, hub: createHub({ health: healthy, store, clock, log: silent, encode: encodeTextFrame }) };
}

function makeReader(cursor: number, origin?: number) {
  const told = { frames: 0, lost: 0 };
  const reader: Reader = {
    cursor,
    origin,
    behind: false,
    isPlain: false,
    hasRoom: () => true,
    write: () => {
      told.frames += 1;
    },
    pending: () => {},
    lost: () => {
      told.lost += 1;
    },
  };
  return { reader, told };
}

describe("past retention", () => {
  it("[ST-11] a reader whose next events are removed is let go to ask anew, and given nothing more", async () => {
    const { clock, hub } = openHub();
    await hub.storedPosition(workspace, stream);
    const slow = makeReader(2);
    const quick = makeReader(trimmed);
    for (const { reader } of [slow, quick]) hub.attach(workspace, stream, reader);
    await clock.advance(50);
    expect(slow).toMatchObject({ reader: { cursor: 2 }, told: { frames: 0, lost: 1 } });
    expect(quick).toMatchObject({ reader: { cursor: head }, told: { lost: 0 } });
    const event = { event: "text", at: 0, json: '"y"' };
    hub.deliver([{ workspace, stream, epoch: "one", offset: head + 1, events: [event] }]);
    expect([slow.told.frames, quick.reader.cursor]).toEqual([0, head + 1]);
    hub.stop();
  });

  it("[ST-11] one that asked from the start, and had nothing yet, passes over what is removed; its page is its own", async () => {
    const { clock, hub } = openHub();
    await hub.storedPosition(workspace, stream);
    const fresh = makeReader(0, 0);
    const returned = makeReader(0);
    for (const { reader } of [fresh, returned]) hub.attach(workspace, stream, reader);
    await clock.advance(50);
    expect(fresh).toMatchObject({ reader: { cursor: head }, told: { lost: 0 } });
    expect(returned).toMatchObject({ reader: { cursor: 0 }, told: { frames: 0, lost: 1 } });
    hub.stop();
  });
});
