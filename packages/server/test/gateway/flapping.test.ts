/**
 * Connections that flap leave nobody counted who is gone, and lock nobody out (F80).
 *
 * Seen red: with a place that a lost connection keeps, and with an opening that a lost one leaves under way.
 */
import { expect, it } from "vitest";
import { createWorld } from "../support/world.ts";

const tabs = 8;
const flaps = 20;
const upMs = 100;
const downMs = 50;

it("[F80] [AD-5] eight tabs that flap twenty times, 100 ms up and 50 ms down: the live count is exact, and all are in at last", async () => {
  const world = await createWorld();
  const { gateway, context } = world.node;
  const held = (): number[] => [
    gateway.connections.size,
    context.occupants.count("default", "ada"),
    context.admission.underWay,
  ];
  let refused = 0;
  for (let flap = 0; flap < flaps; flap += 1) {
    const clients = Array.from({ length: tabs }, () => world.connect());
    for (const client of clients) void client.open();
    await world.clock.advance(upMs);
    const open = clients.filter((client) => client.of("welcome").length > 0 && client.closed === undefined);
    refused += tabs - open.length;
    expect(context.occupants.count("default", "ada")).toBe(open.length);
    for (const client of clients) client.drop();
    await world.clock.advance(downMs);
    expect(held()).toEqual([0, 0, 0]);
  }
  // A loop of openings is stopped (AD-1); nobody is locked out by it.
  expect(refused).toBeGreaterThan(0);
  await world.clock.advance(60_000);
  const back = Array.from({ length: tabs }, () => world.connect());
  for (const client of back) await client.open();
  expect(back.filter((client) => client.of("welcome").length === 1)).toHaveLength(tabs);
});

it("[F80] a cold start of twenty-five at once is let in whole", async () => {
  const world = await createWorld();
  const clients = Array.from({ length: 25 }, () => world.connect());
  for (const client of clients) void client.open();
  await world.clock.advance(100);
  expect(clients.filter((client) => client.of("welcome").length === 1)).toHaveLength(25);
  expect(world.node.gateway.connections.size).toBe(25);
});
