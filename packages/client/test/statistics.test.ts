/**
 * The figures of a session, as the server is told them (ST-16).
 *
 * Seen red: with `reportedMs` never set (told with each ping), without the ping of a busy connection, and with
 * `lastClose` as it was.
 */
import { expect, it } from "vitest";
import { reader, scenario } from "./support/scenario.ts";

it("[ST-16] are told once a minute, with a ping that is due anyway", async () => {
  const { clock, server, session } = scenario();
  reader(session, "s");
  server.append("s", 1, 2);
  await clock.advance(200_000);
  const pings = server.last.received.filter((message) => message.type === "ping");
  expect(pings.length).toBeGreaterThan(8);
  const told = pings.flatMap(({ statistics }) => statistics ?? []);
  expect(told).toHaveLength(3);
  expect(told[0]).toEqual({ ...session.statistics, received: 2, applied: 2 });
});

it("[ST-16] are told once a minute on a busy connection too, which needs no ping", async () => {
  const { clock, server, session } = scenario();
  reader(session, "s");
  for (let second = 0; second < 125; second += 1) {
    server.append("s", second);
    void session.call("do", { second });
    await clock.advance(1_000);
  }
  const pings = server.last.received.filter((message) => message.type === "ping");
  expect(pings).toHaveLength(2);
  expect(pings.map(({ statistics }) => statistics?.applied)).toEqual([61, 121]);
  expect(session.state.kind).toBe("live");
});

it("[ST-16] `hello` tells them with `lastClose`, and nothing of the kind before there was one", async () => {
  const { clock, server, session } = scenario();
  reader(session, "s");
  server.append("s", 1);
  await clock.advance(5_000);
  expect(server.last.hello?.lastClose).toBeUndefined();
  server.cut();
  await clock.advance(5_000);
  expect(server.last.hello?.lastClose).toMatchObject({
    code: 1006,
    statistics: { received: 1, applied: 1, reconnects: 0 },
  });
  server.cut();
  await clock.advance(5_000);
  const { reconnects = 0, longestGapMs = 0 } = server.last.hello?.lastClose?.statistics ?? {};
  expect([reconnects, longestGapMs > 0]).toEqual([1, true]);
  // The gap that this `hello` ends counts once it is welcomed.
  expect(session.statistics.longestGapMs).toBeGreaterThanOrEqual(longestGapMs);
});
