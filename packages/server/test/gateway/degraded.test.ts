/** A node without its store: who comes in, what waits, what is told, and what comes back by itself. */
import { describe, expect, it } from "vitest";
import { StoreLost } from "../../src/store/outage.ts";
import { ada, newId, uuidAt } from "../support/principals.ts";
import { accepted, createWorld, makeHello, type TestClient, type World } from "../support/world.ts";

const agentHello = (extras: object = {}) => ({
  name: "a",
  kind: "shell",
  host: "h",
  capabilities: [],
  process: newId(),
  open: [],
  ...extras,
});

/** Keeps the connections alive, as clients do. */
async function pass(world: World, clients: readonly TestClient[], ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    await world.clock.advance(Math.min(10_000, ms - passed));
    for (const client of clients) client.send({ type: "ping", n: 1, visible: true });
  }
}

/** Three requests that fail: the breaker is open afterwards. */
async function breakStore(world: World): Promise<TestClient> {
  const client = world.connect();
  await client.open();
  world.store.failing = true;
  for (let failed = 0; failed < 3; failed += 1) {
    client.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "x" } });
    await world.clock.advance(30);
  }
  return client;
}

describe("a node without its store", () => {
  it("[OP-4] welcomes people from signatures and memory, and says since when it is degraded", async () => {
    const world = await createWorld();
    const reader = world.connect();
    await reader.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    const began = world.clock.now();
    await breakStore(world);
    const asked = world.store.asked;
    const client = world.connect();
    await client.open({
      subscribe: [
        { stream: "notes", sub: 1, from: "start" },
        { stream: "log/a", sub: 2, from: "start" },
      ],
    });
    const [welcome] = client.of("welcome");
    expect(welcome).toMatchObject({ user: { id: "ada" }, degraded: { reason: "store_unavailable" } });
    expect(welcome?.degraded?.since).toBeGreaterThanOrEqual(began);
    expect(welcome?.degraded?.since).toBeLessThanOrEqual(world.clock.now());
    // What another reader keeps in memory is served; the other waits; nobody asked the store.
    expect(client.of("subscribed").map(({ stream }) => stream)).toEqual(["notes"]);
    expect(client.of("pending")).toMatchObject([{ stream: "log/a", sub: 2, reason: "store_unavailable" }]);
    expect(world.store.asked).toBe(asked);
    client.send({ type: "ping", n: 1, visible: true });
    world.store.failing = false;
    await pass(world, [reader, client], 5_000);
    expect(world.node.context.health.degraded).toBeUndefined();
    client.send({ type: "ping", n: 2, visible: true });
    await world.clock.advance(1);
    // LV-1: who reads streams that are quiet has no other way to know that it is over.
    const pongs = client.of("pong");
    expect(pongs.find(({ n }) => n === 1)).toMatchObject({ degraded: true });
    expect(pongs.find(({ n }) => n === 2)?.degraded).toBeUndefined();
    const later = world.connect();
    await later.open();
    expect(later.of("welcome")[0]?.degraded).toBeUndefined();
  });

  it("[AD-2] asks nothing while the breaker is open but one probe each 5 s, whoever waits", async () => {
    const world = await createWorld();
    const client = await breakStore(world);
    const clients = Array.from({ length: 20 }, () => world.connect());
    for (const [index, one] of clients.entries())
      await one.open({ subscribe: [{ stream: `log/${index}`, sub: 1, from: "start" }] });
    const asked = world.store.asked;
    for (let second = 0; second < 60; second += 1) {
      client.send(
        { type: "request", id: uuidAt(world), method: "note.add", params: { text: "x" } },
        { type: "request", id: uuidAt(world), method: "note.list", params: {} },
      );
      await pass(world, [client, ...clients], 1_000);
    }
    // A probe is a write and a read.
    expect(world.store.asked - asked).toBeOneOf([2 * 11, 2 * 12]);
    const answers = client.of("response");
    expect(answers).toHaveLength(3 + 120);
    for (const { error } of answers) expect(error).toMatchObject({ code: "store_unavailable", retryable: true });
    // CL-4: not all at once, and not before the next probe.
    const times = answers.slice(-2).map(({ error }) => error?.retryAfter ?? 0);
    expect(times[1]).toBe((times[0] ?? 0) + 2);
    expect(world.gateway.connections.size).toBe(21);
    expect([client, ...clients].every((one) => one.closed === undefined)).toBe(true);
  });

  it("[AD-2] a probe that hangs is over after 2 s, and the next one comes all the same", async () => {
    const world = await createWorld();
    const client = await breakStore(world);
    world.store.failing = false;
    world.store.hanging = true;
    const asked = world.store.asked;
    await pass(world, [client], 20_000);
    expect(world.store.asked - asked).toBeOneOf([2 * 3, 2 * 4]);
    expect(world.node.context.health.degraded).toBeDefined();
    world.store.hanging = false;
    await pass(world, [client], 6_000);
    expect(world.node.context.health.degraded).toBeUndefined();
  });

  it("[AD-2] every call has a deadline: a store that hangs is found out, and who waits is answered", async () => {
    const world = await createWorld();
    const client = world.connect();
    await client.open();
    world.store.hanging = true;
    client.send({ type: "subscribe", stream: "log/a", sub: 1, from: "start" });
    for (let asked = 0; asked < 3; asked += 1) {
      client.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "x" } });
      await pass(world, [client], 10_100);
    }
    expect(client.of("response").map(({ error }) => error?.code)).toEqual(Array(3).fill("store_unavailable"));
    expect(client.of("pending")).toHaveLength(1);
    expect(world.node.context.health.degraded).toBeDefined();
    expect(client.closed).toBeUndefined();
    world.store.hanging = false;
    await pass(world, [client], 10_000);
    expect(client.of("refused")).toHaveLength(1);
  });

  it("[AD-2] a disk that takes no writes opens it, whatever can be read meanwhile", async () => {
    const world = await createWorld();
    const reader = world.connect();
    await reader.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    world.store.full = true;
    for (let failed = 0; failed < 3; failed += 1) {
      reader.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "x" } });
      // The node's own look at the heads succeeds in between.
      await world.clock.advance(1_100);
    }
    expect(world.node.context.health.degraded).toBeDefined();
    await pass(world, [reader], 20_000);
    expect(world.node.context.health.degraded).toBeDefined();
    world.store.full = false;
    await pass(world, [reader], 6_000);
    reader.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "y" } });
    await world.clock.advance(30);
    expect(reader.of("response").at(-1)?.error).toBeUndefined();
    expect(reader.of("events").flatMap(({ events }) => events)).toHaveLength(1);
  });

  it("[AD-2][ST-8] the trouble of one stream, or of one handler, opens nothing", async () => {
    const world = await createWorld();
    const publisher = world.connect();
    await publisher.open();
    publisher.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "x" } });
    await world.clock.advance(30);
    world.store.unreadable = "notes";
    const clients = Array.from({ length: 5 }, () => world.connect());
    for (const client of clients) await client.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
    for (let failed = 0; failed < 5; failed += 1) {
      publisher.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "break" } });
      await pass(world, [publisher, ...clients], 10_000);
    }
    expect(world.node.context.health.degraded).toBeUndefined();
    expect(publisher.of("response").filter(({ error }) => error?.code === "store_unavailable")).toEqual([]);
  });

  it("[ST-7] a hundred streams that wait go on by themselves when the store is back, told once, asked 16 at a time", async () => {
    const world = await createWorld();
    await breakStore(world);
    world.verdict = ({ instance }) => accepted({ ...ada, id: instance });
    const clients = Array.from({ length: 100 }, () => world.connect());
    for (const [index, client] of clients.entries()) {
      // Where nothing was logged yet the stream is refused; this one is always there.
      await client.open({ subscribe: [{ stream: index % 2 === 0 ? "notes" : "admins", sub: 1, from: "start" }] });
    }
    await pass(world, clients, 30_000);
    expect(clients.map((client) => client.of("pending").length)).toEqual(Array(100).fill(1));
    world.store.failing = false;
    await pass(world, clients, 6_000);
    expect(clients.map((client) => client.of("subscribed").length)).toEqual(Array(100).fill(1));
    expect(world.clock.timers).toBeLessThan(10);
  });
});

describe("an agent without the store", () => {
  it("[OP-7] is welcomed without its name, buffers, and gets `agent` when the store is back", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    await breakStore(world);
    world.agents.length = 0;
    const client = world.connect();
    const agent = agentHello({ capabilities: ["newer"] });
    await client.open({ agent, subscribe: [{ stream: "inbox/a", sub: 1, from: "start" }] });
    const [welcome] = client.of("welcome");
    expect(welcome).toMatchObject({ user: { role: "agent", name: "a" }, degraded: { reason: "store_unavailable" } });
    expect(welcome?.agent).toBeUndefined();
    // Whose inbox it may read is not known yet, nor may it write.
    expect(client.of("pending")).toMatchObject([{ stream: "inbox/a", sub: 1, reason: "store_unavailable" }]);
    client.send(
      { type: "publish", stream: "log/a", producer: newId(), sequence: 1, events: [{ event: "line", data: 1 }] },
      { type: "request", id: uuidAt(world), method: "note.list", params: {} },
      { type: "subscribe", stream: "notes", sub: 2, from: "start" },
      { type: "subscribe", stream: "log/x", sub: 3, from: "start" },
      { type: "unsubscribe", stream: "log/x" },
      { type: "ack", stream: "inbox/a", epoch: "e", offset: 1 },
      { type: "signal", stream: "notes", signal: "health", data: 1 },
    );
    await world.clock.advance(10);
    expect(client.of("refused")).toMatchObject([{ of: "publish", error: { code: "store_unavailable" } }]);
    expect(client.of("response")).toMatchObject([{ error: { code: "store_unavailable", retryable: true } }]);
    await pass(world, [client], 60_000);
    expect([client.closed, client.of("agent"), world.agents]).toEqual([undefined, [], []]);
    world.store.failing = false;
    await pass(world, [client], 6_000);
    expect(client.of("agent")).toMatchObject([{ id: "a", name: "a", generation: 2 }]);
    expect(world.agents.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual(["connected a"]);
    expect(client.of("subscribed").map(({ stream }) => stream)).toEqual(["inbox/a", "notes"]);
    const named = client.received.findIndex(({ type }) => type === "agent");
    expect(client.received.slice(0, named).some(({ type }) => type === "subscribed")).toBe(false);
    client.send({
      type: "publish",
      stream: "log/a",
      producer: newId(),
      sequence: 1,
      events: [{ event: "line", data: 1 }],
    });
    await world.clock.advance(30);
    expect(client.of("published")).toHaveLength(1);
    client.drop();
    expect(world.agents.at(-1)).toMatch(/^disconnected a/);
  });

  it("[OP-7] is welcomed within 2 s where the store hangs, and named when it answers", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    world.store.hanging = true;
    const client = world.connect();
    client.send(makeHello({ agent: agentHello() }));
    await world.clock.advance(1_900);
    expect(client.of("welcome")).toEqual([]);
    await world.clock.advance(200);
    expect(client.of("welcome")[0]?.agent).toBeUndefined();
    world.store.hanging = false;
    await pass(world, [client], 20_000);
    expect(client.of("agent")).toMatchObject([{ generation: 1 }]);
    expect(client.closed).toBeUndefined();
  });

  it("[OP-7] writes nothing while it has no name, also where the store works for everybody else", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    const { commit } = world.store;
    world.store.commit = async (batch) => {
      if (batch.some(({ kind }) => kind === "agentHello")) throw new StoreLost("not now");
      return commit(batch);
    };
    const client = world.connect();
    await client.open({ agent: agentHello({ capabilities: ["newer"] }) });
    client.send(
      { type: "publish", stream: "log/a", producer: newId(), sequence: 1, events: [{ event: "line", data: 1 }] },
      { type: "request", id: uuidAt(world), method: "note.list", params: {} },
    );
    await world.clock.advance(100);
    expect(client.of("published")).toEqual([]);
    expect(client.of("refused")[0]?.error).toMatchObject({ code: "store_unavailable", retryable: true });
    expect(client.of("response")[0]?.error).toMatchObject({ code: "store_unavailable" });
    world.store.commit = commit;
    await pass(world, [client], 6_000);
    expect(client.of("agent")).toHaveLength(1);
  });

  it("[OP-7][F58] that is gone before the store names it is left nobody's, and older processes stay fenced", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    const older = world.connect();
    await older.open({ agent: agentHello({ capabilities: ["first"] }) });
    await breakStore(world);
    const stays = world.connect();
    await stays.open({ agent: agentHello({ capabilities: ["newer"] }) });
    // Registered all the same it would end the one that stays.
    const gone = world.connect();
    await gone.open({ agent: agentHello({ capabilities: ["newer"] }) });
    gone.drop();
    world.store.failing = false;
    await pass(world, [older, stays], 6_000);
    expect(stays.of("agent")).toMatchObject([{ generation: 2 }]);
    expect(older.of("bye")[0]).toMatchObject({ code: 4409 });
    expect(stays.closed).toBeUndefined();
    expect(world.agents.filter((line) => line.startsWith("connected"))).toHaveLength(2);
    expect(world.clock.timers).toBeLessThan(10);
  });

  it("[OP-7][OP-5] is refused when the store says that it is somebody else after all", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } });
    await breakStore(world);
    const client = world.connect();
    await client.open({ agent: agentHello({ id: "other" }), expect: { user: "other", workspace: "default" } });
    expect(client.of("welcome")).toHaveLength(1);
    world.agents.length = 0;
    world.store.failing = false;
    await pass(world, [client], 6_000);
    expect(client.closed?.code).toBe(4410);
    expect(world.agents.some((line) => line.startsWith("connected"))).toBe(false);
    expect(world.agents.at(-1)).toMatch(/^disconnected/);
  });

  it("[OP-7][AU-9] is closed at once where its key ends while it has no name", async () => {
    const world = await createWorld();
    world.verdict = () => accepted({ ...ada, key: { id: "k", enrol: true } }, undefined, "key k");
    await breakStore(world);
    const client = world.connect();
    await client.open({ agent: agentHello() });
    world.end("key k");
    expect(client.closed?.code).toBe(4403);
  });
});
