/** Scenarios in words: one client, one server, and what happens between them. */
import { expect, it } from "vitest";
import { publisherScenario, reader, scenario } from "./support/scenario.ts";

it("[OP-1] says hello first, is welcomed, reads from the start and goes live", async () => {
  const { clock, server, session, kinds } = scenario();
  server.append("s", 1, 2, 3);
  const seen = reader(session, "s");
  await clock.advance(100);
  expect(server.last.received[0]).toMatchObject({ type: "hello", protocol: 1, attempt: 1, client: { name: "test" } });
  expect(session.state).toEqual({ kind: "live" });
  expect(seen.items).toEqual([1, 2, 3]);
  server.append("s", 4);
  await clock.advance(10);
  expect(seen.items).toEqual([1, 2, 3, 4]);
  expect(seen.statuses.at(-1)).toBe("live");
  expect(kinds.slice(-1)).toEqual(["live"]);
});

it("[ST-2] reads on from the cursor after a loss: nothing lost, nothing twice", async () => {
  const { clock, server, session } = scenario();
  const seen = reader(session, "s");
  server.append("s", 1, 2);
  await clock.advance(100);
  server.cut();
  server.append("s", 3, 4);
  await clock.advance(2_000);
  expect(server.last.hello?.subscribe).toMatchObject([{ stream: "s", from: { offset: 2 } }]);
  expect(server.last.hello?.lastClose).toMatchObject({ code: 1006 });
  expect(seen.items).toEqual([1, 2, 3, 4]);
  expect(session.statistics).toMatchObject({ reconnects: 1, duplicatesSuppressed: 0 });
});

it("[RQ-1] a call resolves with its result", async () => {
  const { clock, server, session } = scenario();
  const done = session.call("do", { a: 1 });
  await clock.advance(100);
  await expect(done).resolves.toEqual({ done: { a: 1 } });
  expect(server.effects).toHaveLength(1);
  expect(session.outbox).toBe(0);
});

it("[PB-2] events of one tick are one batch; each is decided in order, poison too", async () => {
  const { clock, server, session } = publisherScenario();
  const producer = session.producer("t");
  const decided = [1, { poison: true }, 3].map((data) => producer.publish({ event: "x", data }));
  await clock.advance(100);
  const [first, second, third] = await Promise.all(decided);
  expect([first, second?.code, third]).toEqual([null, "invalid_params", null]);
  expect(server.published.get("t")?.map((event) => event.data)).toEqual([1, 3]);
  expect(server.last.received.filter((message) => message.type === "publish")).toHaveLength(1);
});

it("tells how late what is new is shown, and counts no history as late", async () => {
  const { clock, server, session } = scenario();
  server.append("s", 1, 2, 3);
  reader(session, "s");
  await clock.advance(2_000);
  expect(session.statistics.displayLagP50Ms).toBeUndefined();
  // The model server's events are as old as the way to us.
  server.latencyMs = 40;
  for (let item = 0; item < 50; item += 1) {
    server.append("s", item);
    await clock.advance(50);
  }
  server.latencyMs = 400;
  server.append("s", 50);
  await clock.advance(2_000);
  server.append("s", 51);
  await clock.advance(500);
  const { displayLagP50Ms = 0, displayLagP99Ms = 0 } = session.statistics;
  expect([Math.round(displayLagP50Ms / 10), Math.round(displayLagP99Ms / 10)]).toEqual([4, 40]);
});
