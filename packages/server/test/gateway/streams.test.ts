/** Reading over a connection: subscriptions, live events, catch-up, slow readers. */
import { describe, expect, it } from "vitest";
import { ada, newId, uuidAt } from "../support/principals.ts";
import { createWorld, type TestClient, type World } from "../support/world.ts";

const append = (world: World, texts: readonly string[]) =>
  world.committer.run({
    kind: "append",
    workspace: "default",
    stream: "notes",
    events: texts.map((text) => ({ event: "note.added", data: { text } })),
  });
/** Offsets received of a stream, in order. */
const offsets = (client: TestClient): number[] =>
  client.of("events").flatMap((message) => message.events.map((_event, index) => message.offset + index));
/** The offsets that a client's events cover, which must be one contiguous run. */
function covered(client: TestClient): { from: number; through: number } {
  let next: number | undefined;
  let from = 0;
  for (const message of client.of("events")) {
    let at = message.offset;
    if (next === undefined) {
      next = at;
      from = at;
    }
    for (const event of message.events) {
      const first = event.offset ?? at;
      expect(first).toBe(next);
      next = (event.through ?? first) + 1;
      at = next;
    }
  }
  return { from, through: (next ?? 1) - 1 };
}
const oneTo = (count: number): number[] => Array.from({ length: count }, (_value, index) => index + 1);

async function publishMany(world: World, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    void append(
      world,
      Array.from({ length: Math.min(100, count - done) }, () => "x".repeat(200)),
    );
    await world.clock.advance(30);
  }
}

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

  it("[ST-18] an unknown and a forbidden stream get the same refusal", async () => {
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

describe("signals", () => {
  it("[ST-17] reach the other readers of the stream, from whom they really are, at most 10 a second", async () => {
    const world = await createWorld();
    const [sender, reader, stranger] = [world.connect(), world.connect(), world.connect()];
    for (const client of [sender, reader])
      await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    await stranger.open();
    sender.send(
      ...Array.from({ length: 15 }, () => ({ type: "signal", stream: "notes", signal: "typing", from: "bob" })),
    );
    await world.clock.advance(1);
    expect(reader.of("signal")).toHaveLength(10);
    expect(reader.of("signal")[0]).toEqual({ type: "signal", stream: "notes", signal: "typing", from: "ada" });
    expect([sender.of("signal"), stranger.of("signal")]).toEqual([[], []]);
  });

  it.each([
    ["an unknown signal", { stream: "notes", signal: "shout" }, "forbidden"],
    ["more than 1 KiB", { stream: "notes", signal: "typing", data: "x".repeat(1_100) }, "forbidden"],
    ["a stream that is not read", { stream: "log/a", signal: "typing" }, "not_found"],
  ])("[ST-17] %s is refused", async (_title, message, code) => {
    const world = await createWorld();
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    client.send({ type: "signal", ...message });
    await world.clock.advance(1);
    expect(client.of("refused")).toMatchObject([{ of: "signal", error: { code } }]);
  });
});

describe("writing", () => {
  it("[RQ-1] a request is answered after its events are durable, and a repeat is answered alike", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    const request = { type: "request", id: uuidAt(world), method: "note.add", params: { text: "one" } };
    client.send(request);
    await world.clock.advance(10);
    client.send(request);
    await world.clock.advance(10);
    expect(client.of("response")).toEqual([
      { type: "response", id: request.id, result: { text: "one" } },
      { type: "response", id: request.id, result: { text: "one" } },
    ]);
    expect(offsets(client)).toEqual([1]);
  });

  it("[RQ-1] a read after an effect of the same connection sees it", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open();
    client.send(
      { type: "request", id: uuidAt(world), method: "note.add", params: { text: "one" } },
      { type: "request", id: uuidAt(world), method: "note.list", params: {} },
    );
    await world.clock.advance(20);
    expect(client.of("response")[1]).toMatchObject({ result: { items: [{ text: "one" }] } });
  });

  it.each([
    ["unknown method", "no.such", {}, "not_found"],
    ["wrong params", "note.add", { text: 1 }, "invalid_params"],
  ])("[RQ-5] %s is a final error that names it", async (_title, method, params, code) => {
    const world = await createWorld();
    const client = world.connect();
    await client.open();
    client.send({ type: "request", id: uuidAt(world), method, params });
    await world.clock.advance(10);
    expect(client.of("response")[0]).toMatchObject({ error: { code, retryable: false } });
  });

  it("[RQ-1] role comes first: a viewer may not add, whatever the params", async () => {
    const world = await createWorld();
    world.verdict = () => ({ kind: "accepted", cookie: false, principal: { ...ada, role: "viewer" } });
    const client = world.connect();
    await client.open();
    client.send({ type: "request", id: uuidAt(world), method: "note.add", params: { nonsense: true } });
    await world.clock.advance(10);
    expect(client.of("response")[0]).toMatchObject({ error: { code: "forbidden" } });
  });

  it("[F01] with the store down requests are refused as retryable, and nothing is closed", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open();
    world.store.failing = true;
    client.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "x" } });
    await world.clock.advance(10);
    expect(client.of("response")[0]).toMatchObject({
      error: { code: "store_unavailable", retryable: true, retryAfter: 1_000 },
    });
    expect(client.closed).toBeUndefined();
  });

  it("[PB-2][PB-3] publishes are answered published or refused by name", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open();
    const producer = newId();
    const publish = (stream: string, sequence: number) =>
      client.send({
        type: "publish",
        stream,
        producer,
        sequence,
        events: [
          { event: "line", data: 1 },
          { event: "poison", data: 1 },
        ],
      });
    publish("log/a", 1);
    publish("log/a", 9);
    publish("notes", 1);
    await world.clock.advance(10);
    expect(client.of("published")).toMatchObject([{ sequence: 2, rejected: [{ sequence: 2 }] }]);
    expect(client.of("refused")).toMatchObject([
      { of: "publish", stream: "notes", error: { code: "forbidden" } },
      { of: "publish", stream: "log/a", sequence: 9, error: { code: "sequence_gap", details: { expected: 3 } } },
    ]);
  });

  it("[TR-4] elements are judged one by one; the 10th error within 60 s closes 4400", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open();
    client.send({ type: "nonsense" }, { type: "ping", n: 7, visible: true });
    await world.clock.advance(1);
    expect(client.of("pong")).toEqual([{ type: "pong", n: 7 }]);
    client.send(
      { type: "request", id: uuidAt(world), method: 7 },
      { type: "subscribe", stream: "notes", sub: 1, from: 9 },
    );
    await world.clock.advance(1);
    expect(client.of("response")[0]).toMatchObject({ error: { code: "bad_message", retryable: false } });
    expect(client.of("refused")[0]).toMatchObject({ of: "subscribe", sub: 1, error: { code: "bad_message" } });
    client.sendText("not json");
    for (let count = 0; count < 8; count += 1) client.send({ type: "nonsense" });
    await world.clock.advance(1);
    expect(client.of("error")).toHaveLength(10);
    expect(client.closed?.code).toBe(4400);
  });

  it("[AD-5] stops reading over 64 requests under way, and goes on", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open();
    client.send(
      ...Array.from({ length: 80 }, () => ({
        type: "request",
        id: uuidAt(world),
        method: "note.add",
        params: { text: "x" },
      })),
    );
    expect(client.isPaused).toBe(true);
    await world.clock.advance(100);
    expect(client.isPaused).toBe(false);
    expect(client.of("response")).toHaveLength(80);
  });

  it("[LV-2] silence closes 4408: 30 s visible, 90 s hidden", async () => {
    const world = await createWorld();
    const [visible, hidden] = [world.connect(), world.connect()];
    await visible.open();
    await hidden.open({ visible: false });
    await world.clock.advance(32_000);
    expect([visible.closed?.code, hidden.closed?.code]).toEqual([4408, undefined]);
    await world.clock.advance(60_000);
    expect(hidden.closed?.code).toBe(4408);
  });

  it("[F18] closed connections leave no timer", async () => {
    const world = await createWorld();
    const before = world.clock.timers;
    for (let count = 0; count < 50; count += 1) {
      const client = world.connect();
      await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
      client.drop();
    }
    await world.clock.advance(3_000);
    expect(world.gateway.connections.size).toBe(0);
    expect(world.clock.timers).toBe(before);
  });
});
