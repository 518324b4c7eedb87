/** Ten thousand clients and a store that is dead for ten minutes, in virtual time, through the node's own wiring. */
import { expect, it } from "vitest";
import { ada, newId, uuidAt } from "../support/principals.ts";
import { accepted, createWorld, makeHello, type TestClient, type World } from "../support/world.ts";

const clientsCount = 10_000;
const agentsCount = 100;
const newcomersCount = 1_000;
const minutes = 10;
const minuteMs = 60_000;
const streamsCount = 200;

const streamOf = (index: number): string => `log/${index % streamsCount}`;

/** At the budget, as clients that come back do. */
async function openAll(world: World, count: number, from: number): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  for (let index = from; index < from + count; index += 1) {
    const client = world.connect({ token: index < agentsCount ? `agent ${index}` : `person ${index}` });
    const agent = { name: `a${index}`, kind: "shell", host: "h", capabilities: ["newer"], process: newId(), open: [] };
    client.send(
      makeHello({
        subscribe: [{ stream: streamOf(index), sub: 1, from: "start" }],
        ...(index < agentsCount ? { agent } : {}),
      }),
    );
    clients.push(client);
    if (clients.length % 100 === 0) await world.clock.advance(250);
  }
  await world.clock.advance(1_000);
  for (const client of clients) client.send({ type: "ping", n: 1, visible: true });
  return clients;
}

it("[AD-4][AD-2] 10,000 clients, a dead store for 10 minutes: nothing closed, one probe each 5 s, at most 10 lines a minute", async () => {
  const world = await createWorld();
  world.verdict = ({ token = "" }) => {
    const [kind, id = ""] = token.split(" ");
    return kind === "agent"
      ? accepted({ ...ada, id: `key ${id}`, key: { id: `k${id}`, enrol: true } })
      : accepted({ ...ada, id: token });
  };
  for (let stream = 0; stream < streamsCount; stream += 1)
    void world.committer.run({
      kind: "append",
      workspace: "default",
      stream: streamOf(stream),
      events: [{ event: "line", data: 1 }],
    });
  await world.clock.advance(100);
  const clients = await openAll(world, clientsCount, 0);
  expect(clients.filter((client) => client.of("subscribed").length === 1)).toHaveLength(clientsCount);

  world.store.failing = true;
  const began = world.clock.now();
  const linesBefore = world.log.length;
  const presence = [...world.agents];
  const asked = world.store.asked;
  let newcomers: TestClient[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    for (let part = 0; part < 6; part += 1) {
      for (const [index, client] of clients.entries()) {
        if (index % 2 === part % 2) client.send({ type: "ping", n: part, visible: true });
        // A fifth of the people works on; every agent publishes.
        if (index % 30 === part)
          client.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "x" } });
        if (index % 30 === part + 6)
          client.send({ type: "request", id: uuidAt(world), method: "note.list", params: {} });
        if (index < agentsCount && part === 0)
          client.send({ type: "publish", stream: streamOf(index), producer: newId(), sequence: 1, events: [] });
        if (index < agentsCount && part === 1)
          client.send({ type: "ack", stream: `inbox/a${index}`, epoch: "e", offset: 1 });
      }
      for (const client of newcomers) client.send({ type: "ping", n: part, visible: true });
      await world.clock.advance(10_000);
    }
    if (minute === minutes - 2) newcomers = await openAll(world, newcomersCount, clientsCount);
  }

  expect(clients.flatMap(({ closed }) => closed ?? [])).toEqual([]);
  expect(newcomers.filter((client) => client.of("welcome")[0]?.degraded === undefined)).toEqual([]);
  expect(world.agents).toEqual(presence);
  // A probe is a write and a read; before the breaker opened, three calls failed beside those under way.
  const probes = (world.store.asked - asked) / 2;
  expect(probes).toBeGreaterThanOrEqual((minutes * minuteMs) / 5_000 - 2);
  expect(probes).toBeLessThanOrEqual((minutes * minuteMs) / 5_000 + 10);

  const told = world.log.slice(linesBefore).filter(({ event }) => !/^connection\.|^log\.folded$/.test(event));
  const perMinute = Array.from(
    { length: minutes },
    (_value, minute) => told.filter(({ at }) => Math.floor((at - began) / minuteMs) === minute).length,
  );
  console.log(`AD-4: ${probes} probes, lines a minute ${perMinute.join(" ")}`);
  expect(Math.max(...perMinute)).toBeLessThanOrEqual(10);
  // Its consequences are not told beside it.
  expect(told.filter(({ event }) => !/^store\./.test(event))).toEqual([]);
  // The others are those of the newcomers: so many of an event, and one for the rest.
  expect(world.log.length - linesBefore - told.length).toBeLessThanOrEqual(62);
  const outage = told.filter(({ event }) => event === "store.unavailable");
  expect(outage.length).toBeGreaterThanOrEqual(minutes - 1);
  for (const { fields } of outage) {
    expect(fields).toMatchObject({ store: "memory", file: "/data/holdfast.db", waiting: expect.any(Number) });
    expect(fields?.["since"]).toBeGreaterThanOrEqual(began);
    expect(String(fields?.["error"])).toContain("the store is down, as asked");
  }
  expect(outage.at(-1)?.fields?.["waiting"]).toBeGreaterThan(0);

  world.store.failing = false;
  const pending = newcomers.filter((client) => client.of("pending").length > 0);
  await world.clock.advance(6_000);
  expect(pending.filter((client) => client.of("subscribed").length !== 1)).toEqual([]);
  const last = clients.at(-1);
  last?.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "x" } });
  await world.clock.advance(100);
  expect(last?.of("response").at(-1)?.error).toBeUndefined();
}, 300_000);
