/** Who is there: the pure core, the store's compare-and-set, and both under a clock. */
import { ProtocolError } from "@holdfast/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSimClock } from "../../server/test/support/simClock.ts";
import {
  createPresence,
  offlineAfterMs,
  type PresenceChange,
  reconnectingAfterMs,
  storeRetryMs,
} from "../src/presence.ts";
import { startRuntime } from "../src/runtime.ts";
import { type FakeAgent, foldFleet, openControl } from "./support/control.ts";

const agent = { workspace: "default", id: "agent" };
const told = (changes: readonly PresenceChange[]) => changes.map(({ to, from }) => `${to} ${from.join(",")}`);

describe("the core", () => {
  it("a loss is `reconnecting` at once and `offline` 15 s after its beginning", () => {
    const presence = createPresence();
    presence.connected(agent, "a");
    presence.disconnected(agent, "a", false, 1_000);
    expect(presence.nextAt()).toBe(1_000 + reconnectingAfterMs);
    expect(told(presence.due(1_000 + reconnectingAfterMs))).toEqual(["reconnecting a"]);
    expect(presence.nextAt()).toBe(1_000 + offlineAfterMs);
    expect(told(presence.due(1_000 + offlineAfterMs - 1))).toEqual([]);
    expect(told(presence.due(1_000 + offlineAfterMs))).toEqual(["offline a"]);
    expect(presence.nextAt()).toBeUndefined();
  });

  it("a return at any point stops what was to follow", () => {
    for (const returnsAt of [reconnectingAfterMs - 1, reconnectingAfterMs + 1, offlineAfterMs - 1]) {
      const presence = createPresence();
      presence.connected(agent, "a");
      presence.disconnected(agent, "a", false, 0);
      presence.due(returnsAt);
      presence.connected(agent, "b");
      expect(presence.due(10 * offlineAfterMs)).toEqual([]);
    }
  });

  it("[CL-8] a polite end is `offline` at once", () => {
    const presence = createPresence();
    presence.connected(agent, "a");
    presence.disconnected(agent, "a", true, 5);
    expect(told(presence.due(5))).toEqual(["offline a"]);
  });

  it("[X6] while another connection lives, an end only hands the status over", () => {
    const presence = createPresence();
    presence.connected(agent, "a");
    presence.connected(agent, "b");
    presence.disconnected(agent, "a", false, 0);
    expect(presence.due(0)).toEqual([{ ...agent, from: ["a"], to: "adopted", by: "b" }]);
    presence.disconnected(agent, "b", false, 10);
    expect(told(presence.due(10 + reconnectingAfterMs))).toEqual(["reconnecting a,b"]);
  });

  it("[F05] what the store did not take is made again, as what it is by then, unless it is over", () => {
    const presence = createPresence();
    presence.connected(agent, "a");
    presence.disconnected(agent, "a", false, 0);
    const first = presence.due(reconnectingAfterMs);
    for (const change of first) presence.failed(change, 400);
    expect(presence.nextAt()).toBe(400 + storeRetryMs);
    const second = presence.due(400 + storeRetryMs);
    expect(told(second)).toEqual(["reconnecting a"]);
    for (const change of second) presence.failed(change, 12_000);
    const third = presence.due(12_000 + storeRetryMs);
    expect(told(third)).toEqual(["offline a"]);
    for (const change of third) presence.failed(change, 18_000);
    expect(told(presence.due(18_000 + storeRetryMs))).toEqual(["offline a"]);
    presence.connected(agent, "b");
    for (const change of third) presence.failed(change, 30_000);
    expect(presence.due(100_000)).toEqual([]);
  });

  it("[F05] an old failure does not speak for a newer end", () => {
    const presence = createPresence();
    presence.connected(agent, "a");
    presence.disconnected(agent, "a", true, 0);
    const old = presence.due(0);
    presence.connected(agent, "b");
    presence.disconnected(agent, "b", false, 1_000);
    for (const change of old) presence.failed(change, 1_100);
    expect(told(presence.due(1_000 + reconnectingAfterMs))).toEqual(["reconnecting b"]);
    expect(presence.nextAt()).toBe(1_000 + offlineAfterMs);
  });
});

/** The core, the store and a clock, as the server runs them. */
async function withRuntime() {
  const clock = createSimClock();
  const control = await openControl({
    get now() {
      return clock.now();
    },
  });
  const lines: string[] = [];
  let down = false;
  let tasks = 0;
  const write = (event: string): void => void lines.push(event);
  const runtime = startRuntime({
    clock,
    log: { debug: () => undefined, info: write, warn: write, error: write },
    run: async (task, input, workspace) => {
      if (down) throw new ProtocolError("store_unavailable", "the store did not answer");
      tasks += 1;
      return control.task(task, input, workspace);
    },
  });
  return {
    control,
    clock,
    runtime,
    lines,
    tasks: () => tasks,
    setDown: (value: boolean) => {
      down = value;
    },
    connect: async (claims: Parameters<typeof control.hello>[0] = {}) => {
      const welcomed = await control.hello(claims);
      runtime.agentConnected({ id: welcomed.id, workspace: "default", connection: welcomed.connection });
      return welcomed;
    },
    disconnect: (gone: FakeAgent, polite = false) =>
      runtime.agentDisconnected({ id: gone.id, workspace: "default", connection: gone.connection, polite }),
    statuses: async () =>
      (await control.events("fleet")).map(({ data }) => (data["agent"] as { status: string }).status),
  };
}

describe("in the store", () => {
  it("a loss and its end are two events; a return within 15 s is one change back", async () => {
    const world = await withRuntime();
    await world.runtime.started();
    const first = await world.connect();
    world.disconnect(first);
    await world.clock.advance(5_000);
    const back = await world.connect({ id: first.id, process: first.process });
    await world.clock.advance(60_000);
    expect(await world.statuses()).toEqual(["online", "reconnecting", "online"]);
    world.disconnect(back);
    await world.clock.advance(60_000);
    expect(await world.statuses()).toEqual(["online", "reconnecting", "online", "reconnecting", "offline"]);
    world.runtime.stopped();
    expect(world.clock.timers).toBe(0);
  });

  it("a return at once shows as nothing", async () => {
    const world = await withRuntime();
    await world.runtime.started();
    let current = await world.connect();
    for (let turn = 0; turn < 10; turn += 1) {
      world.disconnect(current);
      await world.clock.advance(reconnectingAfterMs - 1);
      current = await world.connect({ id: current.id, process: current.process });
    }
    await world.clock.advance(60_000);
    expect(await world.statuses()).toEqual(["online"]);
  });

  it("[X6] the late close of an old socket changes nothing, whatever comes first", async () => {
    const world = await withRuntime();
    await world.runtime.started();
    const old = await world.connect();
    const { command, thread } = await world.control.call("command.send", { agent: old.id, text: "x" });
    await world.control.publish(old, thread, [{ event: "command.started", data: { command } }]);
    await world.connect({ id: old.id, process: old.process, open: [command] });
    world.disconnect(old);
    await world.clock.advance(60_000);
    // And where this node never knew of the newer one:
    await world.control.task("control.presence", {
      changes: [{ workspace: "default", id: old.id, from: [old.connection], to: "offline" }],
    });
    expect(await world.control.fleet()).toMatchObject([{ status: "online", command, activity: "working" }]);
    expect(new Set(await world.statuses())).toEqual(new Set(["online"]));
  });

  it("[F55] a hello that arrives late, on a socket given up, leaves nobody stuck", async () => {
    const world = await withRuntime();
    await world.runtime.started();
    const living = await world.connect();
    const givenUp = await world.connect({ id: living.id, process: living.process });
    world.disconnect(givenUp);
    await world.clock.advance(60_000);
    expect(await world.control.fleet()).toMatchObject([{ status: "online" }]);
    world.disconnect(living);
    await world.clock.advance(60_000);
    expect(await world.control.fleet()).toMatchObject([{ status: "offline" }]);
  });

  it("[F56] nothing is written or told without a change", async () => {
    const world = await withRuntime();
    await world.runtime.started();
    const gone = await world.connect();
    const row = () => world.control.db.selectFrom("agents").selectAll().executeTakeFirstOrThrow();
    const tick = async (to: PresenceChange["to"]) => {
      const change = { workspace: "default", id: gone.id, from: [gone.connection], to };
      await world.control.task("control.presence", { changes: [change] });
      await world.control.task("control.sweep");
    };
    world.disconnect(gone);
    for (const [status, waitMs] of [
      ["reconnecting", 1_000],
      ["offline", 20_000],
    ] as const) {
      await world.clock.advance(waitMs);
      const before = { events: await world.control.events("fleet"), row: await row() };
      expect(before.row.status).toBe(status);
      for (let count = 0; count < 100; count += 1) await tick(status);
      expect({ events: await world.control.events("fleet"), row: await row() }).toEqual(before);
      await world.clock.advance(10);
    }
    await tick("reconnecting");
    expect((await row()).status).toBe("offline");
  });

  it("[F52] what an offline agent was connected by is cleared with its status", async () => {
    const world = await withRuntime();
    await world.runtime.started();
    world.disconnect(await world.connect(), true);
    await world.clock.advance(0);
    const row = await world.control.db.selectFrom("agents").select(["status", "connection"]).executeTakeFirstOrThrow();
    expect(row).toEqual({ status: "offline", connection: null });
  });

  it("[F58] after a crash every agent is `reconnecting`, and `offline` 15 s later unless it returns", async () => {
    const world = await withRuntime();
    const returning = await world.control.hello({ name: "returning" });
    const gone = await world.control.hello({ name: "gone" });
    const politelyGone = await world.control.hello({ name: "politely gone" }, { workspace: "other" });
    await world.control.task(
      "control.presence",
      { changes: [{ workspace: "other", id: politelyGone.id, from: [politelyGone.connection], to: "offline" }] },
      "other",
    );
    const elsewhere = await world.control.hello({ name: "elsewhere" }, { workspace: "other" });
    await world.runtime.started();
    const statusOf = async (id: string) =>
      [...(await world.control.fleet()), ...(await world.control.fleet("other"))].find((one) => one.id === id)?.status;
    const all = [returning.id, gone.id, elsewhere.id, politelyGone.id];
    expect(await Promise.all(all.map(statusOf))).toEqual(["reconnecting", "reconnecting", "reconnecting", "offline"]);
    await world.clock.advance(10_000);
    await world.connect({ id: returning.id, process: returning.process });
    await world.clock.advance(offlineAfterMs - 10_000);
    expect(await Promise.all(all.map(statusOf))).toEqual(["online", "offline", "offline", "offline"]);
  });

  it("[F05] an outage of the store changes no status, is two log lines, and what still holds follows", async () => {
    const world = await withRuntime();
    await world.runtime.started();
    const agents: FakeAgent[] = [];
    for (let count = 0; count < 30; count += 1) agents.push(await world.connect({ name: "agent" }));
    world.setDown(true);
    for (const one of agents) world.disconnect(one);
    await world.clock.advance(300_000);
    expect(new Set(await world.statuses())).toEqual(new Set(["online"]));
    world.setDown(false);
    await world.clock.advance(20_000);
    expect(new Set((await world.control.fleet()).map(({ status }) => status))).toEqual(new Set(["offline"]));
    expect(world.lines).toEqual(["control.delayed", "control.caughtUp"]);
  });

  it("at rest it looks each 5 s and writes nothing", async () => {
    const world = await withRuntime();
    await world.runtime.started();
    const before = world.tasks();
    await world.clock.advance(60_000);
    expect(world.tasks() - before).toBe(12);
  });

  it("an expiry is told within a second of its time", async () => {
    const world = await withRuntime();
    await world.runtime.started();
    const gone = await world.connect();
    world.disconnect(gone, true);
    await world.clock.advance(2_000);
    const { thread } = await world.control.call("command.send", { agent: gone.id, text: "x", expiresIn: 7_500 });
    const ends = async () =>
      (await world.control.events(`thread/${thread}`)).filter(({ event }) => event === "command.finished");
    await world.clock.advance(7_000);
    expect(await ends()).toEqual([]);
    await world.clock.advance(1_600);
    expect(await ends()).toMatchObject([{ data: { outcome: "expired" } }]);
  });

  it("[F54] whatever connections do, at rest the status is that of the connections that live", async () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant("connect" as const), fresh: fc.boolean() }),
      fc.record({ kind: fc.constant("disconnect" as const), which: fc.nat(5), polite: fc.boolean() }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 200, 299, 301, 4_000, 15_000) }),
      fc.record({ kind: fc.constant("outage" as const), down: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25, size: "max" }), async (actions) => {
        const world = await withRuntime();
        await world.runtime.started();
        let newest = await world.connect();
        let live = [newest];
        let down = false;
        for (const step of actions) {
          if (step.kind === "wait") await world.clock.advance(step.ms);
          if (step.kind === "outage") {
            down = step.down;
            world.setDown(down);
          }
          if (step.kind === "connect" && !down) {
            newest = await world.connect({ id: newest.id, ...(step.fresh ? {} : { process: newest.process }) });
            live.push(newest);
          }
          if (step.kind === "disconnect") {
            const gone = live[step.which % Math.max(1, live.length)];
            if (gone !== undefined) world.disconnect(gone, step.polite);
            live = live.filter((one) => one !== gone);
          }
        }
        world.setDown(false);
        await world.clock.advance(60_000);
        expect((await world.control.fleet())[0]?.status).toBe(live.length > 0 ? "online" : "offline");
        expect(foldFleet(await world.control.events("fleet"))).toEqual(await world.control.fleet());
        world.runtime.stopped();
        expect(world.clock.timers).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});
