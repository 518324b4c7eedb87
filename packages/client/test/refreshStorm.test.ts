/**
 * Refusals at every door at once, as they come when a credential has ended (F09), and a return without any of HTTP (F21).
 *
 * Seen red: with each refusal a question of its own, with "too soon" counted as a refusal, and with a session that asks
 * HTTP who is signed in before each attempt.
 */
import { expect, it } from "vitest";
import { scenario } from "./support/scenario.ts";

const callsCount = 20;

it("[F09] [CL-7] twenty refused HTTP calls and a socket closed 4401 are one refresh, then one socket", async () => {
  const asked: string[] = [];
  let answer: (token: string) => void = () => {};
  const { clock, server, session } = scenario({
    getToken: (why) => {
      asked.push(why);
      return asked.length === 1 ? Promise.resolve("old") : new Promise((resolve) => (answer = resolve));
    },
  });
  await clock.advance(100);
  const old = await session.token();
  const calls = Array.from({ length: callsCount }, () => session.token(old));
  server.close(server.last, 4401, "it has ended");
  await clock.advance(3_000);
  expect([asked, server.connections.length]).toEqual([["first", "rejected"], 1]);
  answer("new");
  await clock.advance(3_000);
  expect(new Set(await Promise.all(calls))).toEqual(new Set(["new"]));
  expect([asked.length, server.connections.length, server.last.hello?.token]).toEqual([2, 2, "new"]);
  expect(session.state.kind).toBe("live");
});

it("[F09] [CL-7] a refresh that is told “too soon” for half a minute is no refusal: it waits, and then goes on", async () => {
  let tooSoonUntil = Number.POSITIVE_INFINITY;
  let asked = 0;
  const { clock, server, session, kinds } = scenario({
    getToken: async (why) => {
      asked += 1;
      if (why === "first") return "old";
      if (clock.now() < tooSoonUntil) throw new Error("too soon");
      return "new";
    },
  });
  await clock.advance(100);
  tooSoonUntil = clock.now() + 30_000;
  server.close(server.last, 4401, "it has ended");
  await clock.advance(30_000);
  expect([session.state, server.connections.length]).toMatchObject([
    { kind: "waiting", reason: "auth_unavailable" },
    1,
  ]);
  await clock.advance(60_000);
  expect([session.state.kind, server.connections.length, server.last.hello?.token]).toEqual(["live", 2, "new"]);
  expect(asked).toBeLessThanOrEqual(6);
  expect(kinds).not.toContain("stopped");
});

it("[F21] who comes back needs nothing of HTTP, however often and long it was away", async () => {
  const world = scenario();
  // Whatever would be asked there is refused, as with an access cookie that has ended.
  world.server.http = async () => ({ status: 403, body: {} });
  await world.clock.advance(100);
  for (let turn = 0; turn < 10; turn += 1) {
    world.server.cut();
    await world.clock.advance(60_000);
    expect(world.session.state.kind).toBe("live");
  }
  expect([world.server.asked, world.server.connections.length]).toEqual([[], 11]);
});
