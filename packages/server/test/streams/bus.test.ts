/** Two nodes on one store: a notice makes a node look at once, and is believed in nothing (ST-14). */
import { describe, expect, it } from "vitest";
import { encodeTextFrame } from "../../src/gateway/frame.ts";
import type { Log } from "../../src/observe/log.ts";
import type { Appended, EncodedRun, StreamPosition } from "../../src/store/port.ts";
import type { Bus, BusNotice } from "../../src/streams/bus.ts";
import { createHub, type Hub } from "../../src/streams/hub.ts";
import type { Reader } from "../../src/streams/reader.ts";
import { healthy } from "../support/health.ts";
import { createSimClock } from "../support/simClock.ts";

const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} } as unknown as Log;
const workspace = "default";
const stream = "log/a";

/** The rows that both nodes see. */
function createRows() {
  const texts: string[] = [];
  let looks = 0;
  let reads = 0;
  const position = (): StreamPosition => ({ epoch: "one", head: texts.length, trimmed: 0, acknowledged: 0 });
  return {
    texts,
    looks: () => looks,
    reads: () => reads,
    append: (text: string): Appended[] => {
      texts.push(text);
      return [
        {
          workspace,
          stream,
          epoch: "one",
          offset: texts.length,
          events: [{ event: "text", at: 0, json: `"${text}"` }],
        },
      ];
    },
    store: {
      position: async () => position(),
      positions: async (names: readonly unknown[]) => {
        looks += 1;
        return names.map(position);
      },
      read: async (_workspace: string, _stream: string, offset: number): Promise<EncodedRun> => {
        reads += 1;
        const pieces = texts
          .slice(offset)
          .map((text) => ({ bytes: new TextEncoder().encode(`{"event":"text","at":0,"data":"${text}"}`), span: 1 }));
        return { offset: offset + 1, pieces, beginsRemoved: false };
      },
    },
  };
}

/** A bus in which a test may drop, repeat and forge. */
function createWire(): { bus: Bus; say(notice: BusNotice): void; said: BusNotice[] } {
  const hearers = new Set<(notice: BusNotice) => void>();
  const said: BusNotice[] = [];
  const say = (notice: BusNotice): void => {
    for (const hear of hearers) hear(notice);
  };
  return {
    said,
    say,
    bus: {
      publish: (heads) => void said.push({ kind: "heads", heads }),
      publishSignals: (signals) => void said.push({ kind: "signals", signals }),
      listen: (hear) => {
        hearers.add(hear);
        return () => hearers.delete(hear);
      },
    },
  };
}

async function attach(hub: Hub, readers: number): Promise<Reader[]> {
  await hub.position(workspace, stream);
  return Array.from({ length: readers }, () => {
    const reader: Reader = {
      cursor: 0,
      origin: undefined,
      behind: false,
      isPlain: false,
      hasRoom: () => true,
      write: () => {},
      pending: () => {},
      lost: () => {},
    };
    hub.attach(workspace, stream, reader);
    return reader;
  });
}

describe("the bus between nodes", () => {
  it("[ST-14] a notice brings another node's event to all readers at once, by one look and one read", async () => {
    const rows = createRows();
    const clock = createSimClock();
    const { bus, say, said } = createWire();
    const here = createHub({ health: healthy, store: rows.store, clock, log: silent, encode: encodeTextFrame, bus });
    const there = createHub({ health: healthy, store: rows.store, clock, log: silent, encode: encodeTextFrame, bus });
    const readers = await attach(here, 5);
    there.deliver(rows.append("hello"));
    expect(said).toEqual([{ kind: "heads", heads: [{ workspace, stream, epoch: "one", head: 1 }] }]);
    for (const notice of said) say(notice);
    for (const notice of said) say(notice);
    await clock.advance(20);
    expect(readers.map(({ cursor }) => cursor)).toEqual([1, 1, 1, 1, 1]);
    expect(rows.reads()).toBe(1);
    expect(rows.looks()).toBeLessThanOrEqual(2);
    here.stop();
    there.stop();
  });

  it("[ST-14] with every notice lost the event comes within the second", async () => {
    const rows = createRows();
    const clock = createSimClock();
    const here = createHub({
      health: healthy,
      store: rows.store,
      clock,
      log: silent,
      encode: encodeTextFrame,
      bus: createWire().bus,
    });
    const [reader] = await attach(here, 1);
    rows.append("hello");
    await clock.advance(900);
    expect(reader?.cursor).toBe(0);
    await clock.advance(150);
    expect(reader?.cursor).toBe(1);
    here.stop();
  });

  it("[ST-14] a forged head moves nobody and troubles nobody: the store is asked", async () => {
    const rows = createRows();
    const clock = createSimClock();
    const { bus, say } = createWire();
    const here = createHub({ health: healthy, store: rows.store, clock, log: silent, encode: encodeTextFrame, bus });
    const [reader] = await attach(here, 1);
    rows.append("hello");
    say({ kind: "heads", heads: [{ workspace, stream, epoch: "one", head: 99 }] });
    await clock.advance(20);
    expect(reader?.cursor).toBe(1);
    expect(here.head(workspace, stream)).toBe(1);
    say({ kind: "all" });
    await clock.advance(20);
    expect(reader?.cursor).toBe(1);
    here.stop();
    say({ kind: "all" });
  });

  it("[ST-15] who stands beyond the head of a store that was rolled back is told so within the second", async () => {
    const rows = createRows();
    const clock = createSimClock();
    const here = createHub({ health: healthy, store: rows.store, clock, log: silent, encode: encodeTextFrame });
    const [reader] = await attach(here, 1);
    let lost = 0;
    Object.assign(reader as Reader, { lost: () => (lost += 1) });
    for (const text of ["kept", "gone", "gone too"]) here.deliver(rows.append(text));
    await clock.advance(1_050);
    expect([reader?.cursor, lost]).toEqual([3, 0]);
    rows.texts.length = 1;
    await clock.advance(1_050);
    expect(lost).toBe(1);
    here.stop();
  });

  it("[ST-14] whoever reads on learns of another node's head for all: none stays where it stood", async () => {
    const rows = createRows();
    const clock = createSimClock();
    const here = createHub({ health: healthy, store: rows.store, clock, log: silent, encode: encodeTextFrame });
    const [reader] = await attach(here, 1);
    rows.append("looked up by a newcomer");
    // Its lookup raises the head, so that no later comparison would find a difference.
    await here.storedPosition(workspace, stream);
    await clock.advance(20);
    expect(reader?.cursor).toBe(1);
    rows.append("read by one that was behind");
    const behind: Reader = { ...(reader as Reader), cursor: 0, behind: false };
    here.attach(workspace, stream, behind);
    await clock.advance(20);
    expect([reader?.cursor, behind.cursor]).toEqual([2, 2]);
    here.stop();
  });
});
