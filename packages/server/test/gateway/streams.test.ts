/** Reading over a connection: subscriptions, live events, catch-up, slow readers. */
import { describe, expect, it } from "vitest";
import { append, covered, offsets, oneTo, publishMany } from "../support/notesWork.ts";
import { newId } from "../support/principals.ts";
import { createWorld, type TestClient } from "../support/world.ts";

describe("reading", () => {
  it("[ST-3][ST-4] from start, from a cursor and from latest, then live", async () => {
    const world = await createWorld();
    void append(world, ["a", "b"]);
    await world.clock.advance(10);
    const [start, latest] = [world.connect(), world.connect()];
    await start.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    await latest.open({ subscribe: [{ stream: "notes", sub: 1, from: "latest" }] });
    await world.clock.advance(20);
    const epoch = start.of("subscribed")[0]?.epoch;
    expect(start.of("subscribed")).toMatchObject([{ offset: 0, head: 2 }]);
    expect(latest.of("subscribed")).toMatchObject([{ offset: 2, head: 2, snapshot: 1, epoch }]);
    expect(latest.of("snapshot")).toMatchObject([{ part: 1, data: { notes: [] } }]);
    const middle = world.connect();
    await middle.open({ subscribe: [{ stream: "notes", sub: 1, from: { epoch, offset: 1 } }] });
    void append(world, ["c"]);
    await world.clock.advance(30);
    expect([offsets(start), offsets(middle), offsets(latest)]).toEqual([[1, 2, 3], [2, 3], [3]]);
  });

  it("[TR-7] an item of hello.subscribe is a subscription, whatever `type` it claims", async () => {
    const world = await createWorld();
    await publishMany(world, 3);
    const client = world.connect();
    await client.open({ subscribe: [{ type: "unsubscribe", stream: "notes", sub: 1, from: "start" }] });
    await world.clock.advance(10);
    expect(client.of("subscribed")).toMatchObject([{ stream: "notes", sub: 1, offset: 0 }]);
    expect(offsets(client)).toEqual([1, 2, 3]);
  });

  it("[ST-2] a newer subscribe replaces the older at that point; unsubscribe is idempotent", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    void append(world, ["a"]);
    await world.clock.advance(10);
    client.send({ type: "subscribe", stream: "notes", sub: 2, from: "start" });
    await world.clock.advance(20);
    expect(client.of("subscribed").map(({ sub }) => sub)).toEqual([1, 2]);
    expect(offsets(client)).toEqual([1, 1]);
    client.send({ type: "unsubscribe", stream: "notes" }, { type: "unsubscribe", stream: "notes" });
    void append(world, ["b"]);
    await world.clock.advance(10);
    expect(offsets(client)).toEqual([1, 1]);
    expect(client.of("error")).toEqual([]);
  });

  it("[A2] [ST-18] an unknown and a forbidden stream get the same refusal", async () => {
    const world = await createWorld();
    void world.committer.run({
      kind: "task",
      workspace: "default",
      task: "notes.inbox",
      input: { to: "bob", text: "secret" },
    });
    await world.clock.advance(10);
    const client = world.connect();
    await client.open({
      subscribe: [
        { stream: "inbox/bob", sub: 1, from: "start" },
        { stream: "inbox/eve", sub: 2, from: "start" },
      ],
    });
    const [forbidden, unknown] = client
      .of("refused")
      .map(({ error }) => ({ ...error, message: error.message.replace(/bob|eve/, "?") }));
    expect(forbidden).toEqual(unknown);
    expect(forbidden?.code).toBe("not_found");
  });

  it("[ST-11] a reader that stops reading costs a cursor only, and is later complete", async () => {
    const world = await createWorld();
    const [slow, quick] = [world.connect(), world.connect()];
    for (const client of [slow, quick]) await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    slow.stalled = true;
    await publishMany(world, 5_000);
    expect(slow.unsentBytes).toBeLessThan(256 * 1024 + 64 * 1024);
    expect(offsets(quick)).toEqual(oneTo(5_000));
    slow.drain();
    await world.clock.advance(2_000);
    expect(offsets(slow)).toEqual(oneTo(5_000));
    expect(world.store.reads).toBeGreaterThan(0);
  });

  it("[ST-7] with the store down a subscription is pending, once, and completes by itself", async () => {
    const world = await createWorld();
    const client = world.connect();
    world.store.failing = true;
    await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "latest" }] });
    await world.clock.advance(16_000);
    client.send({ type: "ping", n: 1, visible: true });
    expect(client.of("pending")).toHaveLength(1);
    world.store.failing = false;
    await world.clock.advance(21_000);
    expect(client.of("subscribed")).toHaveLength(1);
    expect(client.closed).toBeUndefined();
  });

  it("[ST-7][ST-8] a stream that cannot be read is its own trouble: pending once, one retry for all, others live", async () => {
    const world = await createWorld();
    await publishMany(world, 3_000);
    world.store.unreadable = "notes";
    const clients = [world.connect(), world.connect(), world.connect()];
    for (const client of clients)
      await client.open({
        subscribe: [
          { stream: "notes", sub: 1, from: "start" },
          { stream: "log/a", sub: 2, from: "start" },
        ],
      });
    await world.clock.advance(100);
    const before = world.store.reads;
    for (let passed = 0; passed < 40; passed += 10) {
      await world.clock.advance(10_000);
      for (const client of clients) client.send({ type: "ping", n: 1, visible: true });
    }
    expect(clients.map((client) => client.of("pending").length)).toEqual([1, 1, 1]);
    expect(clients[0]?.of("pending")[0]).toMatchObject({ reason: "internal", sub: 1 });
    // 5, 10 and 20 s after each other, whoever waits.
    expect(world.store.reads - before).toBe(3);
    expect(world.log.filter((line) => line.level === "error")).toHaveLength(1);
    world.store.unreadable = undefined;
    await world.clock.advance(25_000);
    for (const client of clients) client.send({ type: "ping", n: 1, visible: true });
    await world.clock.advance(20_000);
    for (const client of clients) expect(offsets(client)).toEqual(oneTo(3_000));
    for (const client of clients) expect(client.closed).toBeUndefined();
  });

  it("[ST-10] what retention removed is one skipped event, or the start, or a reset", async () => {
    const world = await createWorld();
    await publishMany(world, 3_000);
    const early = world.connect();
    await early.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    const epoch = early.of("subscribed")[0]?.epoch;
    await world.clock.advance(500);
    await world.store.trim("notes", 1_500);
    await world.store.remove("notes", 1_600, 1_700);
    const [start, behind] = [world.connect(), world.connect()];
    await start.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    await behind.open({ subscribe: [{ stream: "notes", sub: 1, from: { epoch, offset: 1_000 } }] });
    await world.clock.advance(500);
    expect(start.of("subscribed")[0]).toMatchObject({ offset: 1_500 });
    expect(start.of("events")[0]).toMatchObject({ offset: 1_501 });
    const skipped = start.of("events").flatMap(({ events }) => events.filter(({ event }) => event === "skipped"));
    expect(skipped).toMatchObject([{ offset: 1_600, through: 1_700 }]);
    expect(covered(start)).toEqual({ from: 1_501, through: 3_000 });
    expect(behind.of("subscribed")[0]).toMatchObject({ reset: "trimmed", lost: 500, offset: 3_000 });
  });

  it("[ST-12] events of an append class are rolled up for a reader that catches up, within an event's size", async () => {
    const world = await createWorld();
    const writer = world.connect();
    await writer.open();
    const producer = newId();
    const text = (index: number) => ({ event: "text", data: { text: `${index};` } });
    for (let first = 1; first <= 2_000; first += 200) {
      const events = Array.from({ length: 200 }, (_value, index) => text(first + index));
      writer.send({ type: "publish", stream: "log/a", producer, sequence: first, events });
      await world.clock.advance(30);
    }
    const reader = world.connect();
    await reader.open({ subscribe: [{ stream: "log/a", sub: 1, from: "start" }] });
    await world.clock.advance(200);
    const events = reader.of("events").flatMap((message) => message.events);
    expect(events.length).toBeLessThan(1_100);
    expect(covered(reader)).toEqual({ from: 1, through: 2_000 });
    expect(events.map(({ data }) => (data as { text: string }).text).join("")).toBe(
      oneTo(2_000)
        .map((index) => `${index};`)
        .join(""),
    );
  });

  it("[ST-14] a node that heard nothing of a commit finds it within a second", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    void append(world, ["a"]);
    await world.clock.advance(20);
    world.store.losing = true;
    void append(world, ["b", "c"]);
    await world.clock.advance(20);
    expect(offsets(client)).toEqual([1]);
    await world.clock.advance(1_100);
    expect(offsets(client)).toEqual([1, 2, 3]);
    world.store.losing = false;
    void append(world, ["d"]);
    await world.clock.advance(20);
    expect(offsets(client)).toEqual([1, 2, 3, 4]);
  });

  it("[ST-13] a run that does not continue what a node knows is read from the log, in order", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    void append(world, ["a"]);
    await world.clock.advance(20);
    world.store.losing = true;
    void append(world, ["b", "c"]);
    await world.clock.advance(20);
    world.store.losing = false;
    void append(world, ["d"]);
    await world.clock.advance(100);
    expect(offsets(client)).toEqual([1, 2, 3, 4]);
  });

  it("[ST-7] with the store down, one retry a stream for all who wait; a newcomer waits with them", async () => {
    const world = await createWorld();
    void append(world, ["a"]);
    await world.clock.advance(20);
    world.store.failing = true;
    const clients = Array.from({ length: 20 }, () => world.connect());
    const subscribe = [{ stream: "notes", sub: 1, from: "latest" }];
    for (const client of clients) await client.open({ subscribe });
    const late = world.connect();
    await late.open({ subscribe });
    const asked = world.store.asked;
    await world.clock.advance(4_000);
    expect(world.store.asked).toBe(asked);
    await world.clock.advance(2_000);
    expect(world.store.asked).toBe(asked + 1);
    expect([...clients, late].map((client) => client.of("pending").length)).toEqual(
      Array.from({ length: 21 }, () => 1),
    );
    expect(world.log.filter((line) => line.level === "error")).toHaveLength(1);
    // The one whose turn would be next is gone.
    clients[0]?.drop();
    world.store.failing = false;
    await world.clock.advance(11_000);
    for (const client of [...clients.slice(1), late]) expect(client.of("subscribed")).toHaveLength(1);
  });

  it("[ST-15] a cursor beyond the stored head shows a rollback: new epoch, durably, and reset", async () => {
    const world = await createWorld();
    void append(world, ["a"]);
    await world.clock.advance(10);
    const first = world.connect();
    await first.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    const epoch = first.of("subscribed")[0]?.epoch;
    first.drop();
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "notes", sub: 1, from: { epoch, offset: 5 } }] });
    await world.clock.advance(20);
    const subscribed = client.of("subscribed")[0];
    expect(subscribed).toMatchObject({ reset: "epoch", offset: 1 });
    expect(subscribed?.epoch).not.toBe(epoch);
    const later = world.connect();
    await later.open({ subscribe: [{ stream: "notes", sub: 1, from: { epoch: subscribed?.epoch, offset: 1 } }] });
    expect(later.of("subscribed")[0]).toMatchObject({ offset: 1, epoch: subscribed?.epoch });
    expect(later.of("subscribed")[0]?.reset).toBeUndefined();
  });

  it("[ST-15] every reader of a rolled-back stream is told, with the same sub", async () => {
    const world = await createWorld();
    void append(world, ["a", "b"]);
    await world.clock.advance(10);
    const settled = world.connect();
    await settled.open({ subscribe: [{ stream: "notes", sub: 4, from: "start" }] });
    await world.clock.advance(10);
    const epoch = settled.of("subscribed")[0]?.epoch;
    const ahead = world.connect();
    await ahead.open({ subscribe: [{ stream: "notes", sub: 1, from: { epoch, offset: 9 } }] });
    await world.clock.advance(20);
    expect(settled.of("subscribed")[1]).toMatchObject({ sub: 4, reset: "epoch", offset: 2 });
    void append(world, ["c"]);
    await world.clock.advance(20);
    expect(offsets(settled)).toEqual([1, 2, 3]);
  });

  it("[ST-15] several readers of one rollback renew the epoch once; an inbox too", async () => {
    const world = await createWorld();
    void append(world, ["a"]);
    void world.committer.run({
      kind: "task",
      workspace: "default",
      task: "notes.inbox",
      input: { to: "ada", text: "a" },
    });
    await world.clock.advance(10);
    const first = world.connect();
    await first.open({
      subscribe: [
        { stream: "notes", sub: 1, from: "start" },
        { stream: "inbox/ada", sub: 2, from: "start" },
      ],
    });
    const [notes, inbox] = first.of("subscribed");
    first.drop();
    const clients = Array.from({ length: 5 }, () => world.connect());
    for (const client of clients)
      void client.open({ subscribe: [{ stream: "notes", sub: 1, from: { epoch: notes?.epoch, offset: 7 } }] });
    await world.clock.advance(50);
    const epochs = new Set(clients.map((client) => client.of("subscribed").at(-1)?.epoch));
    expect(epochs.size).toBe(1);
    expect(epochs.has(notes?.epoch)).toBe(false);
    const agent = world.connect();
    await agent.open({ subscribe: [{ stream: "inbox/ada", sub: 1, from: { epoch: inbox?.epoch, offset: 9 } }] });
    await world.clock.advance(20);
    expect(agent.of("subscribed")[0]).toMatchObject({ reset: "epoch", offset: 0 });
    expect(offsets(agent)).toEqual([1]);
  });

  it("[ST-11][AD-5] a slow reader is not closed, and is still heard", async () => {
    const world = await createWorld();
    const slow = world.connect();
    await slow.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    slow.stalled = true;
    await publishMany(world, 3_000);
    expect(slow.unsentBytes).toBeGreaterThan(256 * 1024);
    expect(slow.isPaused).toBe(false);
  });

  it("[OP-8] an inbox is served from the higher of cursor and acknowledgement, never from the start again", async () => {
    const world = await createWorld();
    for (const text of ["a", "b", "c"])
      void world.committer.run({ kind: "task", workspace: "default", task: "notes.inbox", input: { to: "ada", text } });
    await world.clock.advance(10);
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "inbox/ada", sub: 1, from: "latest" }] });
    await world.clock.advance(10);
    expect(offsets(client)).toEqual([1, 2, 3]);
    client.send({ type: "ack", stream: "inbox/ada", epoch: client.of("subscribed")[0]?.epoch ?? "", offset: 2 });
    await world.clock.advance(10);
    client.drop();
    const again = world.connect();
    await again.open({ subscribe: [{ stream: "inbox/ada", sub: 1, from: "start" }] });
    await world.clock.advance(10);
    expect(offsets(again)).toEqual([3]);
  });

  it("[OP-8][ST-3] an inbox of which more is acknowledged than its reader's cursor says tells the jump", async () => {
    const world = await createWorld();
    for (const text of ["a", "b", "c"])
      void world.committer.run({ kind: "task", workspace: "default", task: "notes.inbox", input: { to: "ada", text } });
    await world.clock.advance(10);
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "inbox/ada", sub: 1, from: "start" }] });
    const { epoch = "" } = client.of("subscribed")[0] ?? {};
    client.send({ type: "ack", stream: "inbox/ada", epoch, offset: 2 });
    await world.clock.advance(10);
    // Another process of the same agent, over an older copy of its folder, and one that is further than it acknowledged.
    const answers = [1, 2, 3].map(async (offset) => {
      const reader = world.connect();
      await reader.open({ subscribe: [{ stream: "inbox/ada", sub: 1, from: { epoch, offset } }] });
      await world.clock.advance(10);
      const { type: _type, stream: _stream, sub: _sub, ...answer } = reader.of("subscribed")[0] ?? {};
      return [answer, offsets(reader)];
    });
    expect(await Promise.all(answers)).toEqual([
      [{ epoch, offset: 2, head: 3, reset: "trimmed", lost: 1 }, [3]],
      [{ epoch, offset: 2, head: 3 }, [3]],
      [{ epoch, offset: 3, head: 3 }, []],
    ]);
  });

  it("[OP-8][ST-10] an inbox begins behind what has expired: no order is skipped, and none is `skipped`", async () => {
    const world = await createWorld();
    for (const text of ["a", "b", "c"])
      void world.committer.run({ kind: "task", workspace: "default", task: "notes.inbox", input: { to: "ada", text } });
    await world.clock.advance(10);
    await world.store.trim("inbox/ada", 2);
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "inbox/ada", sub: 1, from: "start" }] });
    await world.clock.advance(10);
    expect(client.of("subscribed")).toMatchObject([{ offset: 2 }]);
    expect(client.of("events").flatMap(({ events }) => events.map(({ event }) => event))).toEqual(["told"]);
  });

  it("[I1] a subscription made while events commit misses and repeats nothing", async () => {
    const world = await createWorld();
    const clients: TestClient[] = [];
    for (let round = 0; round < 40; round += 1) {
      void append(world, ["x", "y", "z"]);
      const client = world.connect();
      clients.push(client);
      void client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
      await world.clock.advance(round % 4);
    }
    await world.clock.advance(500);
    for (const client of clients) expect(offsets(client)).toEqual(oneTo(120));
  });
});
