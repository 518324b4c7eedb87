/**
 * One socket for all tabs, in a browser without a browser: what no real one can be made to do at the right moment.
 *
 * The same in Chromium: `e2e/test/tabs.test.ts`. Every scenario runs with a worker and with a leading tab.
 *
 * Seen red: [I1] [I2] without the repeat of requests, with their repeat under a new id, without asking anew, with
 * a worker whose death nobody watches; [LV-1] with `every`, and with dead tabs counted; [ST-2] with a dead tab's
 * readers left; [ST-11] without the pause, with `shown` sent at each change, and without the reading on; [CL-7]
 * without passing over, with wishes for a token not repeated to a new host, and not ended with the session; both [OP-5] without the wait for an identity; [ST-6] with messages of an older asking
 * heard; [CL-6] without taking over, and with a deposed leader that keeps its socket.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Session } from "../src/index.ts";
import { deliveriesUnderWayMax } from "../src/tabs/seat.ts";
import { reader } from "./support/scenario.ts";
import { settlePromises } from "./support/simClock.ts";
import { type Tab, TabsWorld } from "./support/tabsWorld.ts";

const hiddenTold = (world: TabsWorld): unknown[] =>
  world.server.last.received.filter((message) => message.type === "ping").map((message) => message.visible);

describe.each(["worker", "leader"] as const)("%s", (way) => {
  /** Tabs that are live, the first of them with the socket where tabs lead. */
  async function live(world: TabsWorld, count: number, options: Parameters<TabsWorld["open"]>[1] = {}): Promise<Tab[]> {
    const tabs: Tab[] = [];
    for (let tab = 0; tab < count; tab += 1) {
      tabs.push(world.open(way, options));
      await world.clock.advance(200);
    }
    for (const { session } of tabs) expect(session.state.kind).toBe("live");
    return tabs;
  }
  const owner = (world: TabsWorld, tabs: readonly Tab[]) => (way === "worker" ? world.worker : tabs[0]?.room);

  it("[OP-2] opens one socket, and shows each tab the same session", async () => {
    const world = new TabsWorld();
    const tabs = await live(world, 3);
    expect(world.server.connections).toHaveLength(1);
    for (const { session } of tabs) expect(session.user?.id).toBe("ann");
  });

  it("[LV-1] is hidden only when all tabs are, visible when one is, and a dead tab counts no more", async () => {
    const world = new TabsWorld();
    const tabs = await live(world, 3);
    const [first, second, third] = tabs as [Tab, Tab, Tab];
    second.hint("hidden");
    third.hint("hidden");
    await world.clock.advance(100);
    expect(hiddenTold(world)).toEqual([]);
    first.hint("hidden");
    await world.clock.advance(100);
    expect(hiddenTold(world)).toEqual([false]);
    third.hint("visible");
    await world.clock.advance(100);
    expect(hiddenTold(world)).toEqual([false, true]);
    world.kill(third.room);
    await world.clock.advance(100);
    expect(hiddenTold(world)).toEqual([false, true, false]);
  });

  it("[ST-2] a dead tab's readers end at the server too", async () => {
    const world = new TabsWorld();
    const [, second] = (await live(world, 2)) as [Tab, Tab];
    reader(second.session, "s");
    await world.clock.advance(100);
    expect([...world.server.last.subscriptions.keys()]).toEqual(["s"]);
    world.kill(second.room);
    await world.clock.advance(100);
    expect([...world.server.last.subscriptions.keys()]).toEqual([]);
  });

  it("[ST-6] a handler that throws in one tab stops that reader only; skip leaves out the one event", async () => {
    const world = new TabsWorld();
    const [first, second] = (await live(world, 2)) as [Tab, Tab];
    const good = reader(first.session, "s");
    const items: unknown[] = [];
    const errors: unknown[] = [];
    let decide: { retry(): void; skip(): void } | undefined;
    const bad = second.session.subscribe("s", {
      from: "start",
      onEvents(events) {
        for (const { data } of events) {
          if (data === 3) throw new Error("three");
          items.push(data);
        }
      },
      onError(error, decision) {
        errors.push(error);
        decide = decision;
      },
    });
    await world.clock.advance(100);
    for (const item of [1, 2, 3, 4]) {
      world.server.append("s", item);
      await world.clock.advance(50);
    }
    expect(good.items).toEqual([1, 2, 3, 4]);
    expect(items).toEqual([1, 2]);
    expect([bad.status.kind, bad.cursor?.offset, errors.length]).toEqual(["stopped", 2, 1]);
    decide?.skip();
    await world.clock.advance(100);
    expect(items).toEqual([1, 2, 4]);
    expect(bad.status.kind).toBe("live");
    expect(world.reported).toEqual([]);
  });

  it("[ST-6] retries at once, while more of the stream is on its way: nothing lost, nothing twice", async () => {
    const world = new TabsWorld();
    const [, second] = (await live(world, 2)) as [Tab, Tab];
    const offsets: number[] = [];
    let throws = 1;
    second.session.subscribe("s", {
      from: "start",
      onEvents(events) {
        if (events[0]?.offset === 2 && throws-- > 0) throw new Error("two");
        offsets.push(...events.map(({ offset }) => offset));
      },
      onError: (_error, decide) => decide.retry(),
    });
    await world.clock.advance(100);
    second.room.stalled = true;
    for (const item of [1, 2, 3, 4, 5]) {
      world.server.append("s", item);
      await world.clock.advance(20);
    }
    second.room.wake();
    await world.clock.advance(5_000);
    expect(offsets).toEqual([1, 2, 3, 4, 5]);
  });

  it("[TR-5] tabs of another version do not share, and do not break each other", async () => {
    const world = new TabsWorld();
    const [first] = (await live(world, 1)) as [Tab];
    const newer = world.open(way, { clientVersion: "2" });
    await world.clock.advance(15_000);
    expect(newer.session.state.kind).toBe("live");
    expect(first.session.state.kind).toBe("live");
    expect(world.server.connections.map(({ hello }) => hello?.client.version)).toEqual(["0", "2"]);
  });

  it("[ST-11] a tab that does not keep up is not fed without bound, holds up nobody, and gets the rest", async () => {
    const world = new TabsWorld();
    const [first, second, third] = (await live(world, 3)) as [Tab, Tab, Tab];
    const fast = reader(second.session, "s");
    const slow = reader(third.session, "s");
    reader(first.session, "s");
    await world.clock.advance(100);
    third.room.stalled = true;
    const count = 4 * deliveriesUnderWayMax;
    for (let item = 1; item <= count; item += 1) {
      world.server.append("s", item);
      await world.clock.advance(10);
    }
    expect(fast.items).toHaveLength(count);
    let batches = 0;
    const run = third.room.run;
    third.room.run = (work) => {
      batches += 1;
      run(work);
    };
    third.room.wake();
    expect(batches).toBeLessThan(2 * deliveriesUnderWayMax);
    await world.clock.advance(5_000);
    expect(slow.offsets).toEqual(fast.offsets);
  });

  it("[CL-7] HTTP calls of all tabs and the socket have one refresh under way in the browser", async () => {
    const world = new TabsWorld();
    const asked: string[] = [];
    let answer = (_token: string): void => {};
    const getToken = (why: string): Promise<string> => {
      asked.push(why);
      return new Promise((resolve) => (answer = resolve));
    };
    const first = world.open(way, { getToken });
    const second = world.open(way, { getToken });
    const early = [first.session.token(), second.session.token()];
    await world.clock.advance(200);
    answer("one");
    await world.clock.advance(200);
    expect([await Promise.all(early), asked]).toEqual([["one", "one"], ["first"]]);
    expect(await second.session.token()).toBe("one");
    const calls = [first.session.token("one"), second.session.token("one")];
    world.server.send(world.server.last, { type: "expiring", in: 60_000 });
    await world.clock.advance(200);
    answer("two");
    await world.clock.advance(200);
    expect([await Promise.all(calls), asked]).toEqual([
      ["two", "two"],
      ["first", "rejected"],
    ]);
    expect(world.server.last.received.filter(({ type }) => type === "auth")).toMatchObject([{ token: "two" }]);
  });

  it("[CL-7] an HTTP call that waits for its token outlives the host, and hears of the session's end", async () => {
    const world = new TabsWorld();
    const lost = world.open(way, { getToken: () => new Promise<string>(() => {}) });
    await world.clock.advance(200);
    const { session } = world.open(way, { getToken: async () => "token" });
    await world.clock.advance(200);
    const waits = session.token();
    await world.clock.advance(200);
    world.kill(way === "worker" ? world.worker : lost.room);
    if (way === "worker") world.kill(lost.room);
    await world.clock.advance(30_000);
    expect(await waits).toBe("token");
    const never = world.open(way, { getToken: () => new Promise<string>(() => {}), clientVersion: "alone" });
    await world.clock.advance(200);
    const told = expect(never.session.token()).rejects.toMatchObject({ code: "auth_unavailable" });
    const closed = never.session.close();
    await world.clock.advance(10_000);
    await Promise.all([closed, told]);
  });

  it("[CL-7] asks one tab for a token, the next where that one is silent, and shares the answer", async () => {
    const world = new TabsWorld();
    const asked: string[] = [];
    const tokenOf = (name: string) => async () => {
      asked.push(name);
      return name === "silent" ? await new Promise<never>(() => {}) : "token";
    };
    const silent = world.open(way, { getToken: tokenOf("silent") });
    const other = world.open(way, { getToken: tokenOf("answers") });
    await world.clock.advance(20_000);
    expect(asked).toEqual(["silent", "answers"]);
    expect([silent.session.state.kind, other.session.state.kind]).toEqual(["live", "live"]);
    expect(world.server.last.hello?.token).toBe("token");
  });

  it("[OP-5] another user: every tab drops what it holds, and is told", async () => {
    const world = new TabsWorld();
    let told = 0;
    const tabs = await live(world, 2, { onIdentityChanged: () => (told += 1) });
    const seen = tabs.map(({ session }) => reader(session, "s"));
    world.server.append("s", 1);
    await world.clock.advance(100);
    world.server.user = "bob";
    world.server.verdict = (hello) =>
      hello.expect !== undefined && hello.expect.user !== "bob"
        ? { kind: "bye", code: 4410, reason: "identity_changed" }
        : { kind: "welcome" };
    world.server.cut();
    await world.clock.advance(10_000);
    expect(told).toBe(2);
    for (const { resets } of seen) expect(resets).toContain("epoch");
    for (const { session } of tabs) expect(session.user?.id).toBe("bob");
  });

  it("[OP-5] a new host is told nothing by a tab before it is known to be the same user's", async () => {
    const world = new TabsWorld();
    const tabs = await live(world, 2);
    const [, second] = tabs as [Tab, Tab];
    world.server.refusesUpgrade = true;
    world.server.cut();
    await world.clock.advance(100);
    const outcome = second.session.call("do", { n: 1 }, { durable: true }).catch((error: unknown) => error);
    await world.clock.advance(500);
    world.server.refusesUpgrade = false;
    world.server.user = "bob";
    world.server.verdict = (hello) =>
      hello.expect !== undefined && hello.expect.user !== "bob"
        ? { kind: "bye", code: 4410, reason: "identity_changed" }
        : { kind: "welcome" };
    world.kill(owner(world, tabs));
    await world.clock.advance(60_000);
    expect(world.server.effects).toEqual([]);
    await expect(outcome).resolves.toMatchObject({ code: "unavailable" });
    expect(second.session.user?.id).toBe("bob");
  });

  it("[CL-8] a tab that closes leaves nothing of itself; the last one closes the socket", async () => {
    const world = new TabsWorld();
    const [first, second] = (await live(world, 2)) as [Tab, Tab];
    const closed = first.session.close();
    await world.clock.advance(2_000);
    await closed;
    expect(second.session.state.kind).toBe("live");
    expect(world.server.living).toHaveLength(1);
    const alsoClosed = second.session.close();
    await world.clock.advance(5_000);
    await alsoClosed;
    expect(world.server.living).toHaveLength(0);
    expect(world.clock.armed).toBe(0);
  });

  it("[I1] [I2] whatever dies and whenever: each tab reads all once, each request takes effect once", async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("append" as const) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("call" as const), tab: fc.nat(2) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 40 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("killHost" as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant("stopHost" as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("openTab" as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new TabsWorld();
        let tabs = await live(world, 3);
        const read = new Map<Session, { readonly offsets: number[] }>();
        const follow = (tab: Tab): void => void read.set(tab.session, reader(tab.session, "s"));
        for (const tab of tabs) follow(tab);
        let asked = 0;
        const outcomes = new Map<number, { tab: Tab; outcome: string }>();
        for (const action of steps) {
          if (action.kind === "append") world.server.append("s", 0);
          else if (action.kind === "wait") await world.clock.advance(action.ms);
          else if (action.kind === "cut") world.server.cut();
          else if (action.kind === "stopHost") {
            const stopped = owner(world, tabs);
            if (stopped === undefined) continue;
            stopped.stalled = true;
            world.clock.after(action.ms, stopped.wake);
          } else if (action.kind === "openTab") {
            const tab = world.open(way);
            tabs.push(tab);
            follow(tab);
          } else if (action.kind === "call") {
            const tab = tabs[action.tab % tabs.length];
            if (tab === undefined) continue;
            asked += 1;
            const entry = { tab, outcome: "" };
            outcomes.set(asked, entry);
            tab.session.call("do", { n: asked }).then(
              () => (entry.outcome = "done"),
              (error: unknown) => (entry.outcome = String(error)),
            );
          } else if (tabs.length > 1) {
            world.kill(owner(world, tabs));
            if (way === "leader") tabs = tabs.slice(1);
            await settlePromises();
          }
        }
        await world.clock.advance(60_000);
        const head = world.server.stream("s").events.length;
        for (const { session } of tabs) {
          expect(session.state.kind).toBe("live");
          expect(read.get(session)?.offsets).toEqual(Array.from({ length: head }, (_, index) => index + 1));
        }
        expect(world.server.living).toHaveLength(1);
        const effects = world.server.effects.map((request) => (request.params as { n: number }).n);
        expect(new Set(effects).size).toBe(effects.length);
        for (const { tab, outcome } of outcomes.values()) if (tabs.includes(tab)) expect(outcome).toBe("done");
      }),
      { numRuns: 60 },
    );
  });
});

describe("working", () => {
  it("[OP-5] a host that a stranger's tab has opened hears nothing of ours before it knows whose it is", async () => {
    const world = new TabsWorld();
    let told = 0;
    const ours = world.open("worker", { onIdentityChanged: () => (told += 1) });
    await world.clock.advance(200);
    const seen = reader(ours.session, "s");
    world.server.append("s", 1);
    await world.clock.advance(200);
    world.server.refusesUpgrade = true;
    world.server.user = "bob";
    world.server.cut();
    const outcome = ours.session.call("do", { n: 1 }, { durable: true }).catch((error: unknown) => error);
    ours.room.stalled = true;
    world.kill(world.worker);
    const fresh = world.open("worker");
    await world.clock.advance(500);
    ours.room.wake();
    await world.clock.advance(500);
    world.server.refusesUpgrade = false;
    await world.clock.advance(60_000);
    expect([fresh.session.user?.id, ours.session.user?.id]).toEqual(["bob", "bob"]);
    expect(world.server.effects).toEqual([]);
    expect(world.server.connections.map(({ hello }) => hello?.expect?.user)).not.toContain("ann");
    await expect(outcome).resolves.toMatchObject({ code: "forbidden" });
    expect([told, seen.resets]).toEqual([1, ["epoch"]]);
  });
});

describe("leading", () => {
  it("[CL-6] a leader that is stopped loses the lead, and when it wakes its socket", async () => {
    const world = new TabsWorld();
    const first = world.open("leader");
    await world.clock.advance(200);
    const second = world.open("leader");
    const third = world.open("leader");
    const seen = [second, third].map(({ session }) => reader(session, "s"));
    await world.clock.advance(200);
    first.room.stalled = true;
    world.server.append("s", 1);
    await world.clock.advance(60_000);
    world.server.append("s", 2);
    await world.clock.advance(1_000);
    for (const { items } of seen) expect(items).toEqual([1, 2]);
    first.room.wake();
    await world.clock.advance(10_000);
    expect(world.server.living).toHaveLength(1);
    expect(first.session.state.kind).toBe("live");
  });
});
