/**
 * Readers that need more reads than may be under way: they wait for the end of one, and poll nothing (ST-7).
 *
 * Seen red: with those readers put back into the turns, which then never ended while the reads hung (simulation, seed 625).
 */
import { expect, it } from "vitest";
import { encodeTextFrame } from "../../src/gateway/frame.ts";
import type { EncodedRun } from "../../src/store/port.ts";
import { createCatchUp } from "../../src/streams/catchUp.ts";
import { createChannel } from "../../src/streams/channel.ts";
import type { Reader } from "../../src/streams/reader.ts";
import { healthy } from "../support/health.ts";
import { createSimClock } from "../support/simClock.ts";

const readsUnderWayMax = 16;
const head = 40;
const quiet = (): void => {};

it("[ST-7] at most 16 reads are under way; who needs another waits for the end of one, with no timer, and gets it", async () => {
  const clock = createSimClock();
  const asked: (() => void)[] = [];
  const channel = createChannel("default", "log");
  channel.head = head;
  const catchUp = createCatchUp({
    clock,
    health: healthy,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    encode: encodeTextFrame,
    delivered: quiet,
    store: {
      position: async () => ({ epoch: "one", head, trimmed: 0, acknowledged: 0 }),
      read: (_workspace, _stream, offset) =>
        new Promise<EncodedRun>((resolve) => {
          const bytes = new TextEncoder().encode('{"event":"text","at":0,"data":"x"}');
          const pieces = [{ bytes, span: head - offset }];
          asked.push(() => resolve({ offset: offset + 1, pieces, beginsRemoved: false }));
        }),
    },
  });
  // Each at a place of its own: none shares another's read.
  const readers = Array.from({ length: 25 }, (_, cursor): Reader => {
    const hasRoom = () => true;
    return {
      cursor,
      origin: undefined,
      behind: true,
      isPlain: false,
      hasRoom,
      write: quiet,
      pending: quiet,
      lost: quiet,
    };
  });
  for (const reader of readers) {
    channel.readers.add(reader);
    catchUp.add(channel, reader);
  }
  await clock.advance(1_000);
  expect([asked.length, clock.timers]).toEqual([readsUnderWayMax, 0]);
  // One that is gone leaves its place to the next.
  const gone = readers[readsUnderWayMax];
  if (gone !== undefined) {
    channel.readers.delete(gone);
    catchUp.remove(gone);
  }
  asked[0]?.();
  await clock.advance(1_000);
  expect([asked.length, clock.timers]).toEqual([readsUnderWayMax + 1, 0]);
  for (let next = 1; next < asked.length; next += 1) {
    asked[next]?.();
    await clock.advance(10);
  }
  expect(readers.filter(({ cursor }) => cursor < head)).toEqual([gone]);
  expect([asked.length, clock.timers]).toEqual([readers.length - 1, 0]);
  catchUp.stop();
});
