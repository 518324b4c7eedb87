/**
 * What is left of a connection that has ended: nothing that is written, read or kept for it.
 *
 * Seen red: [F06] with `subscriptions.end()` that leaves its readers in the hub.
 */
import { expect, it } from "vitest";
import { append, offsets, oneTo } from "../support/notesWork.ts";
import { createWorld } from "../support/world.ts";

const large = "x".repeat(10_000);

it("[F06] nothing is written to it or read for it, however much waited; its successor reads on from the cursor", async () => {
  const world = await createWorld();
  const [client, live] = [world.connect(), world.connect()];
  for (const one of [client, live]) await one.open({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
  client.stalled = true;
  for (let batch = 0; batch < 5; batch += 1) {
    void append(world, Array(10).fill(large) as string[]);
    await world.clock.advance(30);
  }
  const read = offsets(client);
  expect(client.unsentBytes).toBeGreaterThan(256 * 1024);
  expect(read.length).toBeLessThan(50);

  for (const one of [client, live]) one.drop();
  const written = [client.frames, live.frames, world.store.reads];
  void append(world, ["later"]);
  await world.clock.advance(60_000);
  expect([client.frames, live.frames, world.store.reads]).toEqual(written);

  const successor = world.connect();
  const { epoch } = client.of("subscribed")[0] ?? { epoch: "" };
  await successor.open({ subscribe: [{ stream: "notes", sub: 1, from: { epoch, offset: read.length } }] });
  await world.clock.advance(100);
  expect([...read, ...offsets(successor)]).toEqual(oneTo(51));
});
