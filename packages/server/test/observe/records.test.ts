/**
 * Ended connections as admins find them: in the stream, and by `diagnostics.get`; over a real server and its store.
 *
 * Seen red: with the plugin not given to the store, with the stream readable by everybody, and with `diagnostics.get`
 * sent to the store.
 */
import { closeCodes } from "@holdfast/protocol";
import { expect, it } from "vitest";
import { plugin as recordsPlugin } from "../../src/observe/recordsPlugin.ts";
import { plugin as notes } from "../support/notesApp.ts";
import { append } from "../support/notesWork.ts";
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
  // Somebody has to ask before anybody can know.
  for (let index = 0; index < 20; index += 1) {
    client.send({ type: "request", id: newId(), method: "note.add", params: { text: "x" } });
    await world.clock.advance(500);
  }
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
    problems: [expect.stringContaining("The database does not answer since")],
  });
});

it("[ST-10] says how large the store is once retention has looked, and nothing before", async () => {
  const world = await createWorld();
  const client = world.connect();
  await client.open();
  const ask = async (): Promise<unknown> => {
    const id = newId();
    client.send({ type: "request", id, method: "diagnostics.get", params: { records: 0 } });
    await world.clock.advance(100);
    return client.of("response").find((response) => response.id === id)?.result;
  };
  void append(world, ["kept"]);
  await world.clock.advance(1_000);
  expect(await ask()).not.toHaveProperty("store");
  for (let second = 0; second < 65; second += 5) {
    client.send({ type: "ping", n: second, visible: true });
    await world.clock.advance(5_000);
  }
  const { store } = (await ask()) as { store: { eventBytes: number; diskBytes: number } };
  expect(store).toMatchObject({ removedEvents: 0, isFull: false });
  expect(store.eventBytes).toBeGreaterThan(0);
  expect(store.diskBytes).toBeGreaterThan(store.eventBytes);
});
