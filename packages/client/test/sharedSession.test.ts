/**
 * A shared session where there is nobody to share with, and the code that is loaded only then.
 *
 * Seen red: with a lock for everybody who asks, without the second loading, and with what tabs have shown not noted.
 */
import { expect, it } from "vitest";
import { createSharedSession } from "../src/tabs/index.ts";
import { lazyLink } from "../src/tabs/lazyLink.ts";
import { memoryLocks } from "../src/tabs/memoryLocks.ts";
import { ModelServer } from "./support/modelServer.ts";
import { makeRandom } from "./support/random.ts";
import { reader } from "./support/scenario.ts";
import { SimClock, settlePromises } from "./support/simClock.ts";
import { TabsWorld } from "./support/tabsWorld.ts";

it("[OP-2] outside a browser has a socket of its own, and leaves nothing", async () => {
  const clock = new SimClock();
  const server = new ModelServer(clock);
  const session = createSharedSession({
    url: "ws://server.test/ws",
    clientName: "test",
    clock,
    transport: server,
    random: makeRandom(7),
    http: async () => ({ kind: "signedIn" }),
  });
  const seen = reader(session, "s");
  server.append("s", 1, 2);
  // The platform loads the file: that takes turns of its own.
  await import("../src/tabs/leadingTab.ts");
  await clock.advance(200);
  const done = session.call("do", { n: 1 });
  await clock.advance(200);
  await expect(done).resolves.toEqual({ done: { n: 1 } });
  expect([session.state.kind, seen.items]).toEqual(["live", [1, 2]]);
  const closed = session.close();
  await clock.advance(5_000);
  await closed;
  expect([server.living.length, clock.armed]).toEqual([0, 0]);
});

it("a lock in memory is one holder's until it is let go, and the next one's then", async () => {
  const locks = memoryLocks();
  const held: string[] = [];
  const first = locks.acquire("lock", () => void held.push("first"));
  const second = locks.acquire("lock", () => void held.push("second"));
  const third = locks.acquire("lock", () => void held.push("third"));
  locks.acquire("other", () => void held.push("other"));
  await settlePromises();
  expect(held).toEqual(["first", "other"]);
  second();
  first();
  first();
  await settlePromises();
  expect(held).toEqual(["first", "other", "third"]);
  third();
});

it("code that cannot be loaded is asked for again, unless the session ended meanwhile", async () => {
  const clock = new SimClock();
  let loads = 0;
  let started = 0;
  const load = async () => {
    loads += 1;
    if (loads === 1) throw new TypeError("failed to fetch dynamically imported module");
    const start = (): void => {
      started += 1;
    };
    return { start, joined() {}, refused() {}, probed() {}, stop: async () => {} };
  };
  const tab = { attach() {}, detach() {}, probe() {} };
  lazyLink(clock, load).start(tab);
  await clock.advance(4_000);
  expect([loads, started]).toEqual([1, 0]);
  await clock.advance(2_000);
  expect([loads, started]).toEqual([2, 1]);
  loads = 0;
  const ended = lazyLink(clock, load);
  ended.start(tab);
  await settlePromises();
  await ended.stop();
  await clock.advance(60_000);
  expect([loads, started, clock.armed]).toEqual([1, 1, 0]);
});

it("[ST-16] the host of shared tabs tells how late they showed what is live", async () => {
  const world = new TabsWorld();
  const { session } = world.open("worker");
  await world.clock.advance(200);
  const seen = reader(session, "s");
  await world.clock.advance(200);
  world.server.append("s", 1);
  await world.clock.advance(65_000);
  expect(seen.items).toEqual([1]);
  const told = world.server.last.received.flatMap((message) =>
    message.type === "ping" ? (message.statistics ?? []) : [],
  );
  expect(told.at(-1)).toMatchObject({ applied: 1, displayLagP50Ms: expect.any(Number) });
});
