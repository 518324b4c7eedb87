/**
 * Reading: whatever the wire does, each reader is given a contiguous run (I1), and told of every jump.
 *
 * Seen red: the property with the gap check of `give` removed, and with `>` in the place of `!==` (a rolled-up
 * range over the cursor); duplicates with `<` in the place of `<=`; the readers of a log with every snapshot
 * taken; the echo with `answered` or `sub` not looked at; another history with `epoch` not looked at; `skip`
 * without asking for the rest.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addSubscriber, makeStream, noteAsked } from "../src/core/stream.ts";
import { readEvents, readSubscribed } from "../src/core/streamReading.ts";
import { makeSubscriber } from "../src/core/subscriber.ts";
import { error } from "./support/modelServer.ts";
import { makeRandom } from "./support/random.ts";
import { reader, scenario } from "./support/scenario.ts";
import { makeStreamContext } from "./support/streamContext.ts";

type Message = Record<string, unknown> & {
  offset: number;
  head: number;
  events: { event: string; at: number; data: unknown }[];
};

/** Ways in which a run of events may arrive. */
const manglings: Record<string, (message: Message) => Record<string, unknown>[]> = {
  plain: (message) => [message],
  twice: (message) => [message, message],
  lost: () => [],
  tailOnly: (message) =>
    message.events.length < 2
      ? [message]
      : [{ ...message, offset: message.offset + 1, events: message.events.slice(1) }],
  backwards: (message) =>
    message.events.map((event, index) => ({ ...message, offset: message.offset + index, events: [event] })).reverse(),
  oneByOne: (message) =>
    message.events.map((event, index) => ({ ...message, offset: message.offset + index, events: [event] })),
  // ST-12: neighbours joined into one event that carries its own range.
  rolledUp: (message) => [
    {
      ...message,
      events: [
        {
          event: "rolled",
          at: 1,
          data: message.events.flatMap((event) => event.data),
          offset: message.offset,
          through: message.offset + message.events.length - 1,
        },
      ],
    },
  ],
  // A rolled-up range that begins one earlier. Where it holds the cursor the reader must ask again, or it
  // would apply that item twice; where the one before was lost it continues the cursor, and its data is right.
  // (Items are their offsets here.)
  rolledOver: (message) =>
    message.offset === 1
      ? [message]
      : [
          {
            ...message,
            offset: message.offset - 1,
            events: [
              {
                event: "rolled",
                at: 1,
                data: [message.offset - 1, ...message.events.flatMap((event) => event.data)],
                offset: message.offset - 1,
                through: message.offset + message.events.length - 1,
              },
            ],
          },
        ],
};

describe("[I1] [ST-5] [ST-12] cursor", () => {
  it("any interleaving of duplicates, gaps, cuts and rolled-up runs is applied as one contiguous run", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("append" as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant("mangle" as const), how: fc.constantFrom(...Object.keys(manglings)) }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 4_000 }) }),
      fc.constant({ kind: "cut" as const }),
      fc.constant({ kind: "join" as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer(), async (steps, seed) => {
        const { clock, server, session } = scenario({ random: makeRandom(seed) });
        const readers = [reader(session, "s")];
        let appended = 0;
        for (const action of steps) {
          if (action.kind === "append") {
            const items = Array.from({ length: action.count }, (_, index) => appended + index + 1);
            appended += action.count;
            server.append("s", ...items);
          } else if (action.kind === "mangle") server.mangle = manglings[action.how] as typeof server.mangle;
          else if (action.kind === "wait") await clock.advance(action.ms);
          else if (action.kind === "join") readers.push(reader(session, "s"));
          else server.cut();
        }
        server.mangle = (message) => [message];
        server.append("s", appended + 1);
        await clock.advance(120_000);
        const all = Array.from({ length: appended + 1 }, (_, index) => index + 1);
        for (const seen of readers) expect(seen.items.flat()).toEqual(all);
        expect(session.state.kind).toBe("live");
      }),
      { numRuns: 300 },
    );
  });

  it("[ST-5] a lower one is dropped and counted, a gap is counted once repaired", async () => {
    const { clock, server, session } = scenario();
    const seen = reader(session, "s");
    server.append("s", 1);
    await clock.advance(100);
    server.mangle = (message) => [message, message];
    server.append("s", 2);
    await clock.advance(2_000);
    expect(session.statistics).toMatchObject({ duplicatesSuppressed: 1, gapsRepaired: 0 });
    expect(server.last.received.filter((message) => message.type === "subscribe")).toHaveLength(0);
    server.mangle = () => [];
    server.append("s", 3);
    server.mangle = (message) => [message];
    server.append("s", 4);
    await clock.advance(2_000);
    expect(seen.items).toEqual([1, 2, 3, 4]);
    expect(session.statistics).toMatchObject({ duplicatesSuppressed: 1, gapsRepaired: 1, applied: 4 });
  });

  it("[ST-5] a stream that is never repaired is asked again ever more slowly", async () => {
    const { clock, server, session } = scenario();
    reader(session, "s");
    await clock.advance(100);
    server.mangle = (message) => [{ ...message, offset: (message["offset"] as number) + 5 }];
    server.append("s", 1);
    await clock.advance(600_000);
    const asked = server.last.received.filter((message) => message.type === "subscribe").length;
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(250);
    expect(server.connections).toHaveLength(1);
  });
});

describe("several readers", () => {
  it("[ST-2] who comes later from the start reads it all; who was there sees nothing twice", async () => {
    const { clock, server, session } = scenario();
    const first = reader(session, "s");
    server.append("s", 1, 2);
    await clock.advance(100);
    const second = reader(session, "s");
    await clock.advance(100);
    server.append("s", 3);
    await clock.advance(100);
    expect(first.items).toEqual([1, 2, 3]);
    expect(second.items).toEqual([1, 2, 3]);
  });

  it("[ST-2] [I1] one wants the snapshot: a reader of the log keeps its log without loss", async () => {
    const { clock, server, session } = scenario();
    server.stream("s").snapshotParts = [{ list: [1], name: "n" }, { list: [2] }];
    server.append("s", 1, 2);
    const log = reader(session, "s");
    await clock.advance(100);
    server.mangle = () => [];
    server.append("s", 3);
    const state = reader(session, "s", "latest");
    server.mangle = (message) => [message];
    await clock.advance(5_000);
    server.append("s", 4);
    await clock.advance(100);
    expect(log.items).toEqual([1, 2, 3, 4]);
    expect(state.snapshots).toEqual([{ list: [1, 2], name: "n" }]);
    expect(state.items).toEqual([4]);
  });

  it("subscribing, letting go and subscribing in one tick asks once (StrictMode)", async () => {
    const { clock, server, session } = scenario();
    await clock.advance(100);
    reader(session, "s").stop();
    const seen = reader(session, "s");
    server.append("s", 1);
    await clock.advance(100);
    expect(seen.items).toEqual([1]);
    expect(server.last.received.filter((message) => message.type !== "hello").map((message) => message.type)).toEqual([
      "subscribe",
    ]);
    seen.stop();
    await clock.advance(100);
    expect(server.last.subscriptions.size).toBe(0);
  });
});

describe("jumps", () => {
  it("[ST-2] a reader whose cursor is of another history gets nothing of this one", () => {
    const stream = makeStream("s");
    const context = makeStreamContext();
    const first = makeSubscriber("s", { from: "start", onEvents() {} });
    addSubscriber(stream, first);
    noteAsked(stream, 1, "start");
    readSubscribed(stream, { type: "subscribed", stream: "s", sub: 1, epoch: "one", offset: 0, head: 3 }, context);
    // It comes in the middle of the reading; nothing was asked for it yet.
    addSubscriber(stream, makeSubscriber("s", { from: { epoch: "another", offset: 0 }, onEvents() {} }));
    const events = [{ event: "e", at: 1, data: 1 }];
    readEvents(stream, { type: "events", stream: "s", offset: 1, head: 1, events }, context);
    expect(context.out.filter((effect) => effect.kind === "deliver").map((effect) => effect.subscriber)).toEqual([
      first,
    ]);
  });

  it("[ST-2] nothing is heard between a newer question and its echo", () => {
    const stream = makeStream("s");
    const context = makeStreamContext();
    addSubscriber(stream, makeSubscriber("s", { from: { epoch: "one", offset: 0 }, onEvents() {} }));
    noteAsked(stream, 1, "start");
    readSubscribed(stream, { type: "subscribed", stream: "s", sub: 1, epoch: "one", offset: 0, head: 3 }, context);
    noteAsked(stream, 2, { epoch: "one", offset: 0 });
    const events = [{ event: "e", at: 1, data: 1 }];
    readEvents(stream, { type: "events", stream: "s", offset: 1, head: 1, events }, context);
    readSubscribed(stream, { type: "subscribed", stream: "s", sub: 1, epoch: "one", offset: 0, head: 3 }, context);
    readEvents(stream, { type: "events", stream: "s", offset: 1, head: 1, events }, context);
    expect(context.out.filter((effect) => effect.kind === "deliver")).toEqual([]);
    readSubscribed(stream, { type: "subscribed", stream: "s", sub: 2, epoch: "one", offset: 0, head: 3 }, context);
    readEvents(stream, { type: "events", stream: "s", offset: 1, head: 1, events }, context);
    expect(context.out.filter((effect) => effect.kind === "deliver")).toHaveLength(1);
  });

  it("[ST-3] an epoch that is gone resets, and what follows starts anew", async () => {
    const { clock, server, session } = scenario();
    const seen = reader(session, "s");
    server.append("s", 1, 2);
    await clock.advance(100);
    server.cut();
    const stream = server.stream("s");
    stream.epoch = "restored";
    stream.events.length = 0;
    await clock.advance(2_000);
    server.append("s", 9);
    await clock.advance(100);
    expect(seen.resets).toEqual(["epoch"]);
    expect(seen.items).toEqual([9]);
  });

  it("[ST-10] a removed run only moves the cursor", async () => {
    const { clock, server, session } = scenario();
    const seen = reader(session, "s");
    server.mangle = (message) => [
      {
        ...message,
        events: [
          { event: "skipped", at: 1, data: null, offset: 1, through: 2 },
          { event: "item", at: 1, data: 3 },
        ],
      },
    ];
    server.append("s", 1, 2, 3);
    await clock.advance(100);
    expect(seen.items).toEqual([3]);
    expect(seen.offsets).toEqual([3]);
    expect(session.state.kind).toBe("live");
  });

  it("[ST-7] pending is shown, and completed by the server alone", async () => {
    const { clock, server, session } = scenario({}, (model) => {
      model.storeDown = true;
    });
    const seen = reader(session, "s");
    await clock.advance(100);
    expect(session.state).toMatchObject({ kind: "degraded", reason: "store_unavailable" });
    server.storeDown = false;
    const hello = server.last.hello?.subscribe?.[0];
    server.send(server.last, { type: "subscribed", stream: "s", sub: hello?.sub, epoch: "e", offset: 0, head: 0 });
    await clock.advance(100);
    expect(session.state.kind).toBe("live");
    expect(seen.statuses).toEqual(["pending", "live"]);
    expect(server.connections).toHaveLength(1);
  });

  it("[ST-7] what was pending and is refused after all waits for nothing", async () => {
    const { clock, server, session } = scenario({}, (model) => {
      model.storeDown = true;
    });
    reader(session, "s");
    await clock.advance(100);
    expect(session.state.kind).toBe("degraded");
    server.storeDown = false;
    const sub = server.last.hello?.subscribe?.[0]?.sub;
    server.send(server.last, { type: "refused", of: "subscribe", stream: "s", sub, error: error("not_found", false) });
    await clock.advance(25_000);
    expect(session.state.kind).toBe("live");
  });

  it("[OP-3][LV-1] a pong ends what welcome said of the store, where every stream is quiet", async () => {
    const { clock, server, session } = scenario({}, (model) => {
      model.welcomeExtras = { degraded: { reason: "store_unavailable", since: 1 } };
    });
    reader(session, "s");
    await clock.advance(100);
    expect(session.state.kind).toBe("degraded");
    server.send(server.last, { type: "pong", n: 1, degraded: true });
    await clock.advance(100);
    expect(session.state.kind).toBe("degraded");
    server.send(server.last, { type: "pong", n: 2 });
    await clock.advance(100);
    expect(session.state.kind).toBe("live");
  });

  it("[OP-3][LV-1] a pong says that the store is away to who was live, once, and ends it", async () => {
    const { clock, server, session } = scenario();
    reader(session, "s");
    await clock.advance(100);
    server.append("s", 1);
    await clock.advance(100);
    expect(session.state.kind).toBe("live");
    server.send(server.last, { type: "pong", n: 1, degraded: true });
    await clock.advance(100);
    const { state } = session;
    expect(state).toMatchObject({ kind: "degraded", reason: "store_unavailable", since: clock.now() - 100 });
    server.send(server.last, { type: "pong", n: 2, degraded: true });
    // Refused while it is away: no proof of anything.
    server.send(server.last, { type: "refused", of: "signal", stream: "s", error: error("forbidden", false) });
    await clock.advance(100);
    expect(session.state).toEqual(state);
    server.send(server.last, { type: "pong", n: 3 });
    await clock.advance(100);
    expect(session.state.kind).toBe("live");
  });

  it("[ST-18] a refused stream says so, the others go live", async () => {
    const { clock, server, session } = scenario();
    const good = reader(session, "good");
    const bad = reader(session, "bad");
    await clock.advance(100);
    const sub = server.last.hello?.subscribe?.find((item) => item.stream === "bad")?.sub;
    server.send(server.last, {
      type: "refused",
      of: "subscribe",
      stream: "bad",
      sub,
      error: { code: "not_found", message: "no", retryable: false },
    });
    await clock.advance(100);
    expect(good.statuses.at(-1)).toBe("live");
    expect(bad.statuses.at(-1)).toBe("refused");
    expect(session.state.kind).toBe("live");
  });
});

describe("[ST-6] a handler", () => {
  it("that throws stops its stream before that event; retry gives it again, nothing is lost", async () => {
    const { clock, server, session } = scenario();
    const items: unknown[] = [];
    let healthy = false;
    let decide: { retry(): void; skip(): void } | undefined;
    const other = reader(session, "s");
    session.subscribe("s", {
      from: "start",
      onEvents(events) {
        if (!healthy && events.some((event) => event.data === 2)) throw new Error("cannot fold 2");
        for (const event of events) items.push(event.data);
      },
      onError(_error, choice) {
        decide = choice;
      },
    });
    server.append("s", 1);
    await clock.advance(100);
    server.append("s", 2);
    await clock.advance(100);
    server.append("s", 3);
    await clock.advance(100);
    expect(items).toEqual([1]);
    expect(other.items).toEqual([1, 2, 3]);
    healthy = true;
    decide?.retry();
    await clock.advance(100);
    expect(items).toEqual([1, 2, 3]);
    expect(other.items).toEqual([1, 2, 3]);
  });

  it("that throws at one of many: skip leaves out that one only", async () => {
    const { clock, server, session } = scenario();
    const items: unknown[] = [];
    let errors = 0;
    server.append("s", 1, 2, 3, 4);
    session.subscribe("s", {
      from: "start",
      onEvents(events) {
        if (events.some((event) => event.data === 3)) throw new Error("cannot fold 3");
        for (const event of events) items.push(event.data);
      },
      onError(_error, choice) {
        errors += 1;
        choice.skip();
      },
    });
    await clock.advance(200);
    server.append("s", 5);
    await clock.advance(200);
    expect(items).toEqual([1, 2, 4, 5]);
    expect(errors).toBe(1);
  });

  it("that subscribes, calls, lets go or closes inside itself causes neither loss nor repeat", async () => {
    const { clock, server, session } = scenario();
    const items: unknown[] = [];
    let inner: ReturnType<typeof reader> | undefined;
    const outer = session.subscribe("s", {
      from: "start",
      onEvents(events) {
        for (const event of events) items.push(event.data);
        inner ??= reader(session, "s");
        void session.call("do", {}).catch(() => {});
        if (items.length === 3) outer.unsubscribe();
      },
    });
    server.append("s", 1, 2);
    await clock.advance(100);
    server.append("s", 3);
    await clock.advance(100);
    server.append("s", 4);
    await clock.advance(100);
    expect(items).toEqual([1, 2, 3]);
    expect(inner?.items).toEqual([1, 2, 3, 4]);
  });
});
