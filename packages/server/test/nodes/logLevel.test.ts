/**
 * `log.setLevel`: an admin reads more of the log of every node, for a while, and it is known who did.
 *
 * Seen red: with a node that starts deaf to what holds, or that hears the past in the wrong order; with the notice not obeyed, with a timer that gives nothing back, with `until` believed beyond an hour, and
 * with the role `operator`.
 */
import { describe, expect, it } from "vitest";
import { readNotice } from "../../src/nodes/notice.ts";
import { noticesMax } from "../../src/nodes/standingNotices.ts";
import { type Nodes, openNodes, type TestNode } from "../support/nodes.ts";
import { uuidAt } from "../support/principals.ts";

const minuteMs = 60_000;

async function set(nodes: Nodes, node: TestNode, params: object) {
  const client = await node.open({ cookie: await node.signIn() });
  client.send({ type: "request", id: uuidAt(nodes), method: "log.setLevel", params });
  await nodes.clock.advance(100);
  return { client, answer: client.of("response")[0] };
}

it("holds on all nodes, for its time, in its room alone, and is told and audited", async () => {
  const nodes = await openNodes();
  const [a, b] = [await nodes.start(), await nodes.start()];
  const { answer } = await set(nodes, a, { room: "store", level: "debug", minutes: 5 });
  expect(answer).toMatchObject({ result: { room: "store", level: "debug" } });
  for (const { levels } of [a, b]) {
    expect(levels.allows("debug", "store.unavailable")).toBe(true);
    expect(levels.allows("debug", "bus.lost")).toBe(false);
  }
  await nodes.clock.advance(5 * minuteMs);
  for (const { levels } of [a, b]) expect(levels.allows("debug", "store.unavailable")).toBe(false);
  const told = nodes.log.filter(({ event }) => event.startsWith("log."));
  expect(told).toMatchObject([
    { event: "log.level_changed", fields: { room: "store", to: "debug", by: "owner" } },
    { event: "log.level_changed" },
    { event: "log.level_restored", fields: { room: "store" } },
    { event: "log.level_restored" },
  ]);
  const reader = await b.open(
    { cookie: await b.signIn() },
    { subscribe: [{ stream: "audit", sub: 1, from: "start" }] },
  );
  await nodes.clock.advance(100);
  expect(reader.of("events")[0]?.events).toMatchObject([
    { event: "audit.done", data: { by: { id: "owner" }, action: "log.setLevel", about: { room: "store" } } },
  ]);
});

it("the newer one takes the older one's place, all rooms too", async () => {
  const nodes = await openNodes();
  const node = await nodes.start();
  const { client } = await set(nodes, node, { level: "debug", minutes: 1 });
  client.send({ type: "request", id: uuidAt(nodes), method: "log.setLevel", params: { level: "error", minutes: 3 } });
  await nodes.clock.advance(2 * minuteMs);
  expect(node.levels.allows("warn", "bus.lost")).toBe(false);
  await nodes.clock.advance(minuteMs + 1_000);
  expect(node.levels.allows("info", "bus.lost")).toBe(true);
});

it.each([
  [{ level: "trace" }, "level"],
  [{ level: "debug", minutes: 61 }, "minutes"],
  [{ level: "debug", minutes: 0 }, "minutes"],
  [{ level: "debug", room: "a.b\u001b[2J" }, "room"],
])("refuses %j by its field", async (params, field) => {
  const nodes = await openNodes();
  const { answer } = await set(nodes, await nodes.start(), params);
  expect(answer).toMatchObject({ error: { code: "invalid_params", details: { field } } });
});

it("is an admin's, and so is the audit", async () => {
  const nodes = await openNodes();
  const node = await nodes.start();
  const cookie = await node.signIn();
  await node.wait(node.authenticator.setRole("owner", "operator"));
  await nodes.clock.advance(100);
  const client = await node.open({ cookie }, { subscribe: [{ stream: "audit", sub: 1, from: "start" }] });
  client.send({ type: "request", id: uuidAt(nodes), method: "log.setLevel", params: { level: "debug" } });
  await nodes.clock.advance(100);
  expect(client.of("response")).toMatchObject([{ error: { code: "forbidden" } }]);
  expect(client.of("refused")).toMatchObject([{ error: { code: "not_found" } }]);
});

it("lasts an hour at most, whatever the notice says; one that is over, or is no level, changes nothing", async () => {
  const nodes = await openNodes();
  const node = await nodes.start();
  const lent = { room: "*", level: "debug", by: "x" };
  expect(readNotice("logLevel", { ...lent, until: 1 })).toMatchObject({ kind: "logLevel", level: "debug" });
  expect(readNotice("logLevel", { ...lent, level: "trace", until: 1 })).toEqual({ kind: "unknown" });
  const tell = (until: number) =>
    nodes.store.commit([
      {
        kind: "append",
        workspace: "",
        stream: "holdfast.nodes",
        events: [{ event: "logLevel", data: { ...lent, until } }],
      },
    ]);
  await node.wait(tell(nodes.clock.now() - 1));
  await nodes.clock.advance(2_000);
  expect(node.levels.allows("debug", "a.b")).toBe(false);
  await node.wait(tell(nodes.clock.now() + 1_000 * minuteMs));
  await nodes.clock.advance(2_000);
  expect(node.levels.allows("debug", "a.b")).toBe(true);
  await nodes.clock.advance(60 * minuteMs);
  expect(node.levels.allows("debug", "a.b")).toBe(false);
});

describe("a node that starts while a level is lent", () => {
  it("has it for the rest of its time, and hears what is changed then", async () => {
    const nodes = await openNodes();
    const a = await nodes.start();
    const { client } = await set(nodes, a, { room: "store", level: "debug", minutes: 10 });
    await nodes.clock.advance(6 * minuteMs);
    const b = await nodes.start();
    expect(b.levels.allows("debug", "store.unavailable")).toBe(true);
    expect(b.levels.allows("debug", "bus.lost")).toBe(false);
    expect(client.closed?.code).toBe(4408);
    await nodes.clock.advance(3 * minuteMs);
    expect(b.levels.allows("debug", "store.unavailable")).toBe(true);
    const { answer } = await set(nodes, a, { room: "bus", level: "debug", minutes: 1 });
    expect(answer).toHaveProperty("result");
    expect(b.levels.allows("debug", "bus.lost")).toBe(true);
    await nodes.clock.advance(minuteMs);
    expect(b.levels.allows("debug", "store.unavailable")).toBe(false);
    expect(b.levels.allows("debug", "bus.lost")).toBe(false);
  });

  it("has the newest of several, and none that is over", async () => {
    const nodes = await openNodes();
    const a = await nodes.start();
    await set(nodes, a, { room: "bus", level: "debug", minutes: 1 });
    await set(nodes, a, { room: "store", level: "error", minutes: 30 });
    await set(nodes, a, { room: "store", level: "debug", minutes: 20 });
    await nodes.clock.advance(2 * minuteMs);
    const before = nodes.log.length;
    const b = await nodes.start();
    expect(b.levels.allows("debug", "store.unavailable")).toBe(true);
    expect(b.levels.allows("debug", "bus.lost")).toBe(false);
    expect(
      nodes.log
        .slice(before)
        .filter(({ event }) => event === "log.level_changed")
        .at(-1),
    ).toMatchObject({
      fields: { room: "store", to: "debug" },
    });
  });

  it("finds it among other notices, pages of them, removed ones and of newer programs", async () => {
    const nodes = await openNodes();
    const a = await nodes.start();
    const told = (kind: string, times: number) =>
      a.wait(
        nodes.store.commit([
          {
            kind: "append",
            workspace: "",
            stream: "holdfast.nodes",
            events: Array.from({ length: times }, () => ({ event: kind, data: { credential: "session s" } })),
          },
        ]),
      );
    await told("credentialEnded", 1_500);
    await set(nodes, a, { room: "store", level: "debug", minutes: 30 });
    await told("credentialEnded", 1_500);
    await told("ofANewerProgram", 1);
    expect((await nodes.start()).levels.allows("debug", "store.unavailable")).toBe(true);
    // It says where it ends: what lies further back than this is not looked for.
    await told("credentialEnded", noticesMax);
    expect((await nodes.start()).levels.allows("debug", "store.unavailable")).toBe(false);
  });
});
