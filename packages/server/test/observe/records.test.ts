/**
 * Ended connections as admins find them: in the stream, and by `diagnostics.get`; over a real server and its store.
 *
 * Seen red: with the plugin not given to the store, with the stream readable by everybody, and with `diagnostics.get`
 * sent to the store.
 */
import { closeCodes } from "@holdfast/protocol";
import { expect, it } from "vitest";
import type { ConnectionRecord } from "../../src/observe/connectionRecord.ts";
import { diagnosticsMethod } from "../../src/observe/diagnostics.ts";
import { createRecentRecords } from "../../src/observe/recentRecords.ts";
import { plugin as recordsPlugin } from "../../src/observe/recordsPlugin.ts";
import { plugin as notes } from "../support/notesApp.ts";
import { ada, newId } from "../support/principals.ts";
import { createWorld } from "../support/world.ts";

it("keeps each ended connection in the stream `connections`, which admins read", async () => {
  const world = await createWorld(notes, {}, { keepsRecords: true });
  const gone = world.connect();
  await gone.open({ attempt: 2 });
  gone.drop();
  await world.clock.advance(2_000);
  const admin = world.connect();
  await admin.open({ subscribe: [{ stream: "connections", sub: 1, from: "start" }] });
  await world.clock.advance(100);
  const [events] = admin.of("events");
  expect(events?.events).toMatchObject([{ event: "connection.ended", data: { attempt: 2, code: closeCodes.lost } }]);
});

it("[ST-18] shows the stream to nobody else", () => {
  const [family] = recordsPlugin.streams;
  const may = (role: "viewer" | "operator" | "admin" | "agent") => family?.mayRead({ ...ada, role }, "connections");
  expect([may("viewer"), may("operator"), may("agent"), may("admin")]).toEqual([false, false, false, true]);
});

it("[OP-4] answers `diagnostics.get` while the store is away, and says so first", async () => {
  const world = await createWorld();
  const client = world.connect();
  await client.open();
  const gone = world.connect();
  await gone.open();
  gone.drop();
  world.store.failing = true;
  await world.clock.advance(20_000);
  const id = newId();
  client.send({ type: "request", id, method: "diagnostics.get", params: {} });
  await world.clock.advance(100);
  expect(client.of("response").find((response) => response.id === id)?.result).toMatchObject({
    node: world.node.context.node,
    connections: 1,
    stormFactor: 1,
    lately: { ended: 1, codes: { [closeCodes.lost]: 1 } },
    records: [{ code: closeCodes.lost }],
  });
});

const record: ConnectionRecord = {
  connection: "c",
  node: "n",
  at: 0,
  address: "192.0.2.7",
  phases: { hello: 1, admitted: 2, welcomed: 3 },
  messagesIn: 0,
  bytesIn: 0,
  messagesOut: 0,
  bytesOut: 0,
  handlingMs: { sum: 0, longest: 0 },
  errors: {},
  durationMs: 500_000,
  code: closeCodes.lost,
  reason: "",
  expected: false,
};

function problems(records: readonly ConnectionRecord[], stormFactor = 1, since?: number): unknown {
  const recent = createRecentRecords();
  for (const each of records) recent.add(each);
  const method = diagnosticsMethod({
    node: "n",
    now: () => 600_000,
    recent,
    health: { degraded: since === undefined ? undefined : { reason: "store_unavailable", since } },
    connections: () => 1,
    deliveries: () => 0,
    stormFactor: () => stormFactor,
    retriesIgnored: () => 0,
  });
  return (method.answer({ records: 0 } as never) as { problems: unknown }).problems;
}

it("says what is wrong in sentences, and nothing on a calm day", () => {
  const calm = Array.from({ length: 20 }, () => record);
  const short = { ...record, at: 590_000, durationMs: 4_000, code: closeCodes.internal };
  expect(problems(calm)).toEqual([]);
  expect(problems([...calm, short, short])).toEqual([]);
  expect(problems([...calm, ...Array.from({ length: 10 }, () => short)])).toEqual([
    "10 of 30 connections that ended in 5 minutes lived less than 60 s, most with code 1011.",
  ]);
  expect(problems(calm, 7.5, 0)).toEqual([
    "The database does not answer since 1970-01-01T00:00:00.000Z: nobody is closed, and nothing new is stored.",
    "Each client opened 7.5 connections in the last minute; 1 is a calm day.",
  ]);
});
