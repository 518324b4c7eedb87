/** A node that stops finishes what it has accepted (CL-9), over a real engine, in simulated time. */
import { expect, it } from "vitest";
import { ada, uuidAt } from "../support/principals.ts";
import { createWorld } from "../support/world.ts";

it("[CL-9] what was accepted takes effect before the stop is done, however long the store takes", async () => {
  const world = await createWorld();
  const client = world.connect();
  await client.open();
  world.store.hanging = true;
  client.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "accepted" } });
  await world.clock.advance(50);

  let isDone = false;
  const stop = world.node.stop().then(() => {
    isDone = true;
  });
  await world.clock.advance(1_000);
  expect(client.closed?.code).toBe(1012);
  // Past the 5 s in which connections may close by themselves: only the store is waited for now.
  await world.clock.advance(6_000);
  expect(isDone).toBe(false);
  // Who is gone says nothing that would still be heard.
  client.send({ type: "request", id: uuidAt(world), method: "note.add", params: { text: "too late" } });

  world.store.hanging = false;
  await world.clock.advance(10_000);
  await stop;
  const { outcome } = await world.store.query(ada, "note.list", {});
  expect(outcome).toEqual({ ok: true, value: { items: [{ text: "accepted" }] } });
  expect(world.clock.timers).toBe(0);
});
