/** Writing over a connection: requests, publishes, signals, limits, silence. */
import { describe, expect, it } from "vitest";
import { offsets } from "../support/notesWork.ts";
import { ada, newId, uuidAt } from "../support/principals.ts";
import { createWorld } from "../support/world.ts";

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
    expect(client.of("response")[0]).toMatchObject({ error: { code: "store_unavailable", retryable: true } });
    expect(client.of("response")[0]?.error?.retryAfter).toBeGreaterThanOrEqual(1_000);
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
