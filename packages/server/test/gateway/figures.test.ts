/**
 * What clients say of how their events arrived (ST-16).
 *
 * Seen red: with the figures of a ping not kept, and with `lastClose`'s not taken over.
 */
import { expect, it } from "vitest";
import { createWorld, type World } from "../support/world.ts";

const figures = {
  received: 12,
  applied: 10,
  duplicatesSuppressed: 2,
  gapsRepaired: 1,
  reconnects: 3,
  longestGapMs: 4_000,
  unknownMessages: 0,
  problems: 0,
  displayLagP99Ms: 250,
};

const closedLines = ({ log }: World): unknown[] =>
  log.filter(({ event }) => event === "connection.closed").map(({ fields }) => fields?.["figures"]);

it("[ST-16] the record of a connection has the client's newest figures, those of `lastClose` before any ping", async () => {
  const world = await createWorld();
  const [pinged, returned, silent] = [world.connect(), world.connect(), world.connect()];
  await pinged.open();
  await returned.open({ lastClose: { code: 1006, reason: "lost", uptime: 5, statistics: figures } });
  await silent.open();
  pinged.send({ type: "ping", n: 1, visible: true, statistics: { ...figures, received: 11 } });
  pinged.send({ type: "ping", n: 2, visible: true, statistics: figures });
  pinged.send({ type: "ping", n: 3, visible: true });
  await world.clock.advance(10);
  expect(pinged.of("pong")).toHaveLength(3);
  for (const client of [pinged, returned, silent]) client.drop();
  expect(closedLines(world)).toEqual([figures, figures, undefined]);
});

it("[ST-16] [TR-4] what is no figure is refused with its message, and named", async () => {
  const world = await createWorld();
  const client = world.connect();
  await client.open();
  client.send({ type: "ping", n: 1, visible: true, statistics: { ...figures, applied: "many" } });
  client.send({ type: "ping", n: 2, visible: true, statistics: { ...figures, invented: { deep: [] } } });
  await world.clock.advance(10);
  expect(client.of("error").map(({ details }) => details?.["field"])).toEqual(["statistics.applied"]);
  client.drop();
  expect(closedLines(world)).toEqual([figures]);
});
