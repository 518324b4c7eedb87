/**
 * Requests of tabs when their host is stopped, wakes, or goes at the worst moment: the tab gives the id, and says of a
 * request only what is certain.
 *
 * Seen red: [RQ-1] with ids that each host makes, and with ids that the storage does not keep; [RQ-3] asleep with a
 * request that its host may name, too late without the look at its age, certainty without `isElsewhere`; [RQ-4] with the
 * lanes of the host alone; [F69] with a release for the last who waits only. Not seen red: the grace for late answers, and the withdrawal at once.
 */
import { describe, expect, it } from "vitest";
import { memoryStorage, nothingKept } from "../src/storage/memory.ts";
import { makeTabRequests } from "../src/tabs/requests.ts";
import { error } from "./support/modelServer.ts";
import { makeRandom } from "./support/random.ts";
import { SimClock, settlePromises } from "./support/simClock.ts";
import { type Tab, TabsWorld } from "./support/tabsWorld.ts";

type Leading = readonly [leader: Tab, second: Tab, third: Tab];

async function leading(world: TabsWorld): Promise<Leading> {
  const tabs: Tab[] = [];
  for (let tab = 0; tab < 3; tab += 1) {
    tabs.push(world.open("leader"));
    await world.clock.advance(200);
  }
  return tabs as unknown as Leading;
}

/** How it ended: `done`, or the error's code and reason. */
function outcomeOf(call: Promise<unknown>): { said: string } {
  const heard = { said: "" };
  call.then(
    () => (heard.said = "done"),
    ({ code, details }: { code: string; details?: { reason?: string } }) => {
      heard.said = [code, details?.reason].filter((part) => part !== undefined).join(" ");
    },
  );
  return heard;
}

const effectsOf = (world: TabsWorld): unknown[] =>
  world.server.effects.map((request) => (request.params as { n: number }).n);

describe("a leader that is stopped", () => {
  it("[RQ-1] [I2] wakes with an order in its port that its successor has sent: one effect", async () => {
    const world = new TabsWorld();
    const [leader, second] = await leading(world);
    leader.room.stalled = true;
    const outcome = outcomeOf(second.session.call("do", { n: 1 }));
    await world.clock.advance(20_000);
    expect([outcome.said, effectsOf(world)]).toEqual(["done", [1]]);
    leader.room.wake();
    await world.clock.advance(30_000);
    expect(effectsOf(world)).toEqual([1]);
    expect([leader.session.state.kind, world.server.living.length]).toEqual(["live", 1]);
  });

  it("[RQ-1] [I2] wakes with an order that waited for a connection, finds one, and sends nothing of its own", async () => {
    const world = new TabsWorld();
    const [leader, second] = await leading(world);
    world.server.refusesUpgrade = true;
    world.server.cut();
    await world.clock.advance(100);
    const outcomes = [
      outcomeOf(second.session.call("do", { n: 1 }, { durable: true })),
      outcomeOf(second.session.call("do", { n: 2 }, { timeout: 60_000 })),
    ];
    await world.clock.advance(100);
    leader.room.stalled = true;
    await world.clock.advance(20_000);
    world.server.refusesUpgrade = false;
    await world.clock.advance(30_000);
    expect(outcomes.map(({ said }) => said)).toEqual(["done", "done"]);
    leader.room.wake();
    await world.clock.advance(60_000);
    expect(effectsOf(world)).toEqual([1, 2]);
  });

  it("[RQ-3] wakes with an order that was given up meanwhile, and does not send it", async () => {
    const world = new TabsWorld();
    const [leader, second] = await leading(world);
    leader.room.stalled = true;
    world.server.refusesUpgrade = true;
    const outcome = outcomeOf(second.session.call("do", { n: 1 }));
    await world.clock.advance(70_000);
    // It had its id, and who was given it may have sent it: nobody knows.
    expect(outcome.said).toBe("timeout");
    expect(world.server.living).toHaveLength(1);
    leader.room.wake();
    await world.clock.advance(30_000);
    expect(effectsOf(world)).toEqual([]);
  });
});

describe("a tab that sleeps while its hosts change", () => {
  it("[RQ-1] [I2] finds that the next host has sent what was kept for it, without an id of its own: one effect", async () => {
    const storage = memoryStorage(nothingKept());
    const world = new TabsWorld();
    // Nobody knows the server's clock.
    world.server.refusesUpgrade = true;
    const tabs: Tab[] = [];
    for (let tab = 0; tab < 3; tab += 1) {
      tabs.push(world.open("leader", { storage }));
      await world.clock.advance(200);
    }
    const [leader, second, third] = tabs as unknown as Leading;
    const outcome = outcomeOf(third.session.call("do", { n: 1 }, { durable: true }));
    await world.clock.advance(100);
    third.room.stalled = true;
    world.kill(leader.room);
    await world.clock.advance(1_000);
    world.server.refusesUpgrade = false;
    await world.clock.advance(60_000);
    expect([second.session.state.kind, effectsOf(world)]).toEqual(["live", [1]]);
    third.room.wake();
    await world.clock.advance(10_000);
    expect([outcome.said, effectsOf(world)]).toEqual(["done", [1]]);
  });

  it("[RQ-1] [I2] repeats it under its own id where that host is gone too, and its outcome with it", async () => {
    const storage = memoryStorage(nothingKept());
    const world = new TabsWorld();
    const tabs: Tab[] = [];
    for (let tab = 0; tab < 4; tab += 1) {
      tabs.push(world.open("leader", { storage }));
      await world.clock.advance(200);
    }
    const [leader, second, , fourth] = tabs as unknown as readonly [Tab, Tab, Tab, Tab];
    world.server.refusesUpgrade = true;
    world.server.cut();
    await world.clock.advance(100);
    const outcome = outcomeOf(fourth.session.call("do", { n: 1 }, { durable: true }));
    await world.clock.advance(100);
    fourth.room.stalled = true;
    world.kill(leader.room);
    await world.clock.advance(1_000);
    world.server.refusesUpgrade = false;
    await world.clock.advance(60_000);
    expect(effectsOf(world)).toEqual([1]);
    world.kill(second.room);
    await world.clock.advance(20_000);
    fourth.room.wake();
    await world.clock.advance(10_000);
    expect([outcome.said, effectsOf(world)]).toEqual(["done", [1]]);
  });
});

describe("what a tab says of its requests", () => {
  it("[RQ-3] [I7] of one that it calls unsent nobody has sent anything, also where it slept when it could be", async () => {
    const world = new TabsWorld();
    const [, second] = await leading(world);
    world.server.refusesUpgrade = true;
    world.server.cut();
    await world.clock.advance(100);
    const outcome = outcomeOf(second.session.call("do", { n: 1 }));
    await world.clock.advance(100);
    second.room.stalled = true;
    world.server.refusesUpgrade = false;
    await world.clock.advance(70_000);
    // Its timers fire before it hears anything.
    second.session.withdraw("nothing");
    second.room.wake();
    await world.clock.advance(10_000);
    expect([outcome.said, effectsOf(world)]).toEqual(["unavailable", []]);
  });

  it("[RQ-3] an answer that came while it slept is its outcome, though the deadline is found first [LV-3]", async () => {
    const clock = new SimClock();
    const requests = makeTabRequests(
      () => {},
      clock,
      makeRandom(1),
      () => {},
    );
    requests.shown(clock.now(), true);
    let ticket = "";
    const outcome = outcomeOf(requests.call("do", {}, { onTicket: (told) => (ticket = told) }));
    await clock.sleep(100_000);
    requests.take({ kind: "settled", ticket, result: 1, error: undefined });
    await clock.advance(10_000);
    expect(outcome.said).toBe("done");
  });

  it("[RQ-3] one that is withdrawn as soon as its ticket is told is not sent", async () => {
    const world = new TabsWorld();
    const [, second] = await leading(world);
    const { session } = second;
    const outcome = outcomeOf(session.call("do", { n: 1 }, { onTicket: (ticket) => session.withdraw(ticket) }));
    await world.clock.advance(1_000);
    expect([outcome.said, effectsOf(world)]).toEqual(["unavailable withdrawn", []]);
  });

  it("[RQ-4] a request called before the tab heard that the one before it was refused does not run", async () => {
    const world = new TabsWorld();
    const [, second] = await leading(world);
    world.server.answer = ({ method }) => (method === "refuse" ? error("invalid_params", false) : undefined);
    const first = outcomeOf(second.session.call("refuse", { n: 1 }, { lane: "thread" }));
    second.room.stalled = true;
    await world.clock.advance(1_000);
    const follower = outcomeOf(second.session.call("do", { n: 2 }, { lane: "thread" }));
    await world.clock.advance(1_000);
    second.room.wake();
    await world.clock.advance(1_000);
    expect([first.said, follower.said]).toEqual(["invalid_params", "conflict after_failed"]);
    expect(effectsOf(world)).toEqual([]);
  });

  it("[RQ-4] what is behind one that failed unsent fails with it, whichever host would have carried it", async () => {
    const world = new TabsWorld();
    const [leader, second, third] = await leading(world);
    world.server.refusesUpgrade = true;
    world.server.cut();
    await world.clock.advance(100);
    const options = { lane: "thread", durable: true };
    const first = outcomeOf(second.session.call("do", { n: 1 }, { lane: "thread", timeout: 2_000 }));
    const follower = outcomeOf(second.session.call("do", { n: 2 }, options));
    const other = outcomeOf(third.session.call("do", { n: 3 }, { ...options, lane: "another" }));
    await world.clock.advance(3_000);
    world.kill(leader.room);
    await world.clock.advance(1_000);
    world.server.refusesUpgrade = false;
    await world.clock.advance(60_000);
    expect([first.said, follower.said, other.said]).toEqual(["unavailable", "conflict after_failed", "done"]);
    expect(effectsOf(world)).toEqual([3]);
  });

  it("[RQ-3] [F69] what a tab that dies has left unsent goes out, also where another tab waits for its outcome", async () => {
    const world = new TabsWorld();
    const [, second, third] = await leading(world);
    world.server.refusesUpgrade = true;
    world.server.cut();
    await world.clock.advance(100);
    void second.session.call("do", { n: 1 }, { durable: true, lane: "thread" });
    await world.clock.advance(100);
    const [saved] = third.session.saved;
    const seen = outcomeOf(third.session.outcome(saved?.ticket ?? ""));
    await world.clock.advance(100);
    world.kill(second.room);
    await world.clock.advance(1_000);
    world.server.refusesUpgrade = false;
    await world.clock.advance(60_000);
    expect([seen.said, effectsOf(world)]).toEqual(["done", [1]]);
  });

  it("[RQ-3] one that is withdrawn while no host is there is not sent by the next", async () => {
    const world = new TabsWorld();
    const [leader, second] = await leading(world);
    world.server.refusesUpgrade = true;
    world.server.cut();
    await world.clock.advance(100);
    let ticket = "";
    const outcome = outcomeOf(
      second.session.call("do", { n: 1 }, { durable: true, onTicket: (told) => (ticket = told) }),
    );
    await world.clock.advance(100);
    leader.room.stalled = true;
    second.session.withdraw(ticket);
    await settlePromises();
    world.kill(leader.room);
    await world.clock.advance(1_000);
    world.server.refusesUpgrade = false;
    await world.clock.advance(60_000);
    expect([outcome.said, effectsOf(world)]).toEqual(["unavailable withdrawn", []]);
  });
});
