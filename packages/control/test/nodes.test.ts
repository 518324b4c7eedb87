/** Several nodes on one store: whose agents are whose, which node is dead, and who was only thought so. */
import { ProtocolError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { createSimClock } from "../../server/test/support/simClock.ts";
import { beatLateMs } from "../src/lease.ts";
import {
  answeredMsMin,
  createLeases,
  type Leases,
  leaseMs,
  type NodeBeat,
  slowAnswerMs,
  unaskedMsMax,
} from "../src/leases.ts";
import { offlineAfterMs } from "../src/presence.ts";
import { startRuntime, sweepIdleMs } from "../src/runtime.ts";
import { type FakeAgent, openControl } from "./support/control.ts";

const beats = (numbers: Readonly<Record<string, number>>) =>
  Object.entries(numbers).map(([node, beat]) => ({ node, beat }));

/** Answered at once. */
const heard = (leases: Leases, nodes: readonly NodeBeat[], at: number) => leases.heard(nodes, at, at);

describe("leases", () => {
  /** A node that asks as it should: from `from` on at its slowest pace, and at `until`, whose verdict is given. */
  function looks(leases: Leases, from: number, until: number, of: Readonly<Record<string, number>>) {
    for (let at = from; at < until; at += sweepIdleMs) heard(leases, beats(of), at);
    return heard(leases, beats(of), until);
  }
  /** A node that has known its store and "b" for long enough to judge. */
  function settled() {
    const leases = createLeases("a");
    looks(leases, 0, answeredMsMin - 1, { a: 1, b: 1 });
    heard(leases, beats({ a: 2, b: 2 }), answeredMsMin);
    return leases;
  }

  it("[F51] a node is dead when its beat stood still for the lease, and not before", () => {
    const leases = settled();
    expect(looks(leases, answeredMsMin, answeredMsMin + leaseMs - 1, { a: 3, b: 2, c: 1 })).toEqual([]);
    expect(heard(leases, beats({ a: 4, b: 2, c: 2 }), answeredMsMin + leaseMs)).toEqual([{ node: "b", beat: 2 }]);
    // It was asleep, and beats again.
    expect(heard(leases, beats({ a: 5, b: 3, c: 3 }), answeredMsMin + leaseMs + 1)).toEqual([]);
  });

  it("[I5] time without the store counts for nobody: the first node back declares none dead", () => {
    const leases = settled();
    leases.broken();
    const back = 600_000;
    expect(looks(leases, back, back + answeredMsMin - 1, { a: 4, b: 2 })).toEqual([]);
    expect(heard(leases, beats({ a: 5, b: 2 }), back + answeredMsMin)).toEqual([{ node: "b", beat: 2 }]);
  });

  it("[I5] a store that fails once between two looks counts for nobody either", () => {
    const leases = settled();
    looks(leases, answeredMsMin, answeredMsMin + leaseMs - 1, { a: 3, b: 2 });
    leases.broken();
    expect(heard(leases, beats({ a: 4, b: 2 }), answeredMsMin + leaseMs)).toEqual([]);
  });

  it("[I5] a store that takes long to answer counts for nobody: who was served first declares none dead", () => {
    const leases = settled();
    const asked = answeredMsMin + leaseMs - slowAnswerMs;
    looks(leases, answeredMsMin, asked - 1, { a: 3, b: 2 });
    // It hung, for the other too.
    const answered = asked + slowAnswerMs + 1;
    expect(leases.heard(beats({ a: 3, b: 2 }), asked, answered)).toEqual([]);
    expect(looks(leases, answered, answered + answeredMsMin - 1, { a: 4, b: 2 })).toEqual([]);
    expect(heard(leases, beats({ a: 5, b: 2 }), answered + answeredMsMin)).toEqual([{ node: "b", beat: 2 }]);
  });

  it("[I5] time in which it did not ask counts for nobody: who slept through an outage declares none dead", () => {
    const leases = settled();
    const woke = answeredMsMin + unaskedMsMax + 1;
    expect(looks(leases, woke, woke + answeredMsMin - 1, { a: 3, b: 2 })).toEqual([]);
    expect(heard(leases, beats({ a: 4, b: 2 }), woke + answeredMsMin)).toEqual([{ node: "b", beat: 2 }]);
  });

  it("its own beat is nobody's to judge, and a node that is gone is forgotten", () => {
    const leases = settled();
    const later = answeredMsMin + leaseMs;
    expect(looks(leases, answeredMsMin, later, { a: 2 })).toEqual([]);
    expect(heard(leases, beats({ a: 2, b: 2 }), later + 1)).toEqual([]);
  });
});

/** Nodes over one store, under one clock. */
async function openNodes() {
  const clock = createSimClock();
  const control = await openControl({
    get now() {
      return clock.now();
    },
  });
  const quiet = () => undefined;
  const startNode = async (node: string) => {
    /** From the store, or for one task only. */
    let cut: boolean | string = false;
    const runtime = startRuntime({
      clock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      shared: { node },
      run: async (task, input, workspace) => {
        if (cut === true || cut === task) throw new ProtocolError("store_unavailable", "the store did not answer");
        return control.task(task, input, workspace);
      },
    });
    await runtime.started();
    /** As the node's batches do: what leads goes first. */
    const lead = async () => {
      const leading = runtime.leads?.();
      leading?.done(await control.task(leading.task, leading.input, leading.workspace));
    };
    return {
      runtime,
      lead,
      cut: (value: boolean | string) => {
        cut = value;
      },
      connect: async (claims: Parameters<typeof control.hello>[0] = {}) => {
        await lead();
        const welcomed = await control.hello(claims, { node });
        runtime.agentConnected({ id: welcomed.id, workspace: "default", connection: welcomed.connection });
        return welcomed;
      },
      disconnect: ({ id, connection }: FakeAgent) =>
        runtime.agentDisconnected({ id, workspace: "default", connection, polite: false }),
    };
  };
  const statusOf = async ({ id }: FakeAgent) => (await control.fleet()).find((one) => one.id === id)?.status;
  return { clock, control, startNode, statusOf };
}

describe("nodes that share a store", () => {
  it("[F58] one that starts leaves the others' agents alone, and judges those that nobody holds", async () => {
    const world = await openNodes();
    const orphan = await world.control.hello({ name: "orphan" }, { node: "of another time" });
    const a = await world.startNode("a");
    const held = await a.connect({ name: "held" });
    await world.startNode("b");
    await world.clock.advance(1_000);
    expect([await world.statusOf(held), await world.statusOf(orphan)]).toEqual(["online", "reconnecting"]);
    await world.clock.advance(offlineAfterMs);
    expect([await world.statusOf(held), await world.statusOf(orphan)]).toEqual(["online", "offline"]);
  });

  it("[F51] a node that dies with its agents is found by the others, whose own stay online", async () => {
    const world = await openNodes();
    const [a, b] = [await world.startNode("a"), await world.startNode("b")];
    await world.clock.advance(answeredMsMin);
    const [lost, moved, kept] = [
      await a.connect({ name: "lost" }),
      await a.connect({ name: "moved" }),
      await b.connect({ name: "kept" }),
    ];
    a.runtime.stopped();
    await world.clock.advance(5_000);
    await b.connect({ id: moved.id, process: moved.process });
    await world.clock.advance(leaseMs / 2);
    expect(await world.statusOf(lost)).toBe("online");
    await world.clock.advance(leaseMs / 2 + 5_000);
    expect(await world.statusOf(lost)).toBe("reconnecting");
    await world.clock.advance(offlineAfterMs);
    expect(await Promise.all([lost, moved, kept].map(world.statusOf))).toEqual(["offline", "online", "online"]);
    expect(await world.control.db.selectFrom("control_nodes").select("node").execute()).toEqual([{ node: "b" }]);
  });

  it("[I5] an outage of the store for all of them changes no status", async () => {
    const world = await openNodes();
    const [a, b] = [await world.startNode("a"), await world.startNode("b")];
    const agents = [await a.connect({ name: "of a" }), await b.connect({ name: "of b" })];
    for (const node of [a, b]) node.cut(true);
    await world.clock.advance(600_000);
    b.cut(false);
    await world.clock.advance(answeredMsMin - 10_000);
    a.cut(false);
    await world.clock.advance(60_000);
    expect(await Promise.all(agents.map(world.statusOf))).toEqual(["online", "online"]);
    expect(
      new Set((await world.control.events("fleet")).map(({ data }) => (data["agent"] as { status: string }).status)),
    ).toEqual(new Set(["online"]));
  });

  it("[I5] one that was thought dead, and takes its agents back, loses none of them to the judgement before", async () => {
    const world = await openNodes();
    const [a] = [await world.startNode("a"), await world.startNode("b")];
    const agent = await a.connect({ name: "of a" });
    await world.clock.advance(answeredMsMin);
    a.cut(true);
    while ((await world.statusOf(agent)) === "online") await world.clock.advance(1_000);
    expect(await world.statusOf(agent)).toBe("reconnecting");
    a.cut(false);
    for (let second = 0; second < 60; second += 1) {
      await world.clock.advance(1_000);
      if (second > 5) expect(await world.statusOf(agent)).toBe("online");
    }
    expect(
      (await world.control.events("fleet")).map(({ data }) => (data["agent"] as { status: string }).status),
    ).not.toContain("offline");
  });

  it("[I5] one that was buried, and acts before its next look, has its lease again with the same batch, and its agents", async () => {
    const world = await openNodes();
    const [a, b] = [await world.startNode("a"), await world.startNode("b")];
    const held = await a.connect({ name: "held" });
    await world.clock.advance(answeredMsMin);
    a.cut(true);
    while ((await world.statusOf(held)) === "online") await world.clock.advance(1_000);
    expect(await world.control.db.selectFrom("control_nodes").select("node").execute()).toEqual([{ node: "b" }]);
    // Its store is back just after a look that failed: the next one is still to come.
    expect(a.runtime.leads?.()).toBeDefined();
    a.cut(false);
    const fresh = await a.connect({ name: "fresh" });
    await world.clock.advance(10);
    expect(await Promise.all([held, fresh].map(world.statusOf))).toEqual(["online", "online"]);
    for (let second = 0; second < 40; second += 1) {
      await world.clock.advance(1_000);
      expect(await Promise.all([held, fresh].map(world.statusOf))).toEqual(["online", "online"]);
    }
    b.runtime.stopped();
  });

  it("[I5] one whose looks come in time leads with nothing, and one that was kept from them renews before it can be buried", async () => {
    const world = await openNodes();
    const a = await world.startNode("a");
    for (let second = 0; second < 30; second += 1) {
      await world.clock.advance(1_000);
      expect(a.runtime.leads?.()).toBeUndefined();
    }
    a.cut(true);
    await world.clock.advance(beatLateMs + sweepIdleMs);
    expect(a.runtime.leads?.()?.task).toBe("control.beat");
    expect(beatLateMs).toBeGreaterThan(sweepIdleMs);
    expect(beatLateMs + sweepIdleMs).toBeLessThan(leaseMs);
    await a.lead();
    expect(a.runtime.leads?.()).toBeUndefined();
  });

  it("[I8] what was sent to an agent while its node was thought dead is handed to it when the node takes it back", async () => {
    const world = await openNodes();
    const [a] = [await world.startNode("a"), await world.startNode("b")];
    const agent = await a.connect({ name: "of a" });
    await world.clock.advance(answeredMsMin);
    a.cut(true);
    while ((await world.statusOf(agent)) === "online") await world.clock.advance(1_000);
    const { command } = await world.control.call("command.send", { agent: agent.id, text: "date" });
    expect(await world.control.events(agent.inbox)).toEqual([]);
    a.cut(false);
    await world.clock.advance(10_000);
    expect(await world.control.events(agent.inbox)).toMatchObject([{ event: "command.dispatched", data: { command } }]);
  });

  it("[F51] a node that could not take its agents back at once tries again with its next look", async () => {
    const world = await openNodes();
    const [a] = [await world.startNode("a"), await world.startNode("b")];
    const agent = await a.connect({ name: "of a" });
    await world.clock.advance(answeredMsMin);
    a.cut(true);
    while ((await world.statusOf(agent)) === "online") await world.clock.advance(1_000);
    a.cut("control.reclaim");
    await world.clock.advance(10_000);
    expect(await world.statusOf(agent)).not.toBe("online");
    a.cut(false);
    await world.clock.advance(10_000);
    expect(await world.statusOf(agent)).toBe("online");
  });

  it("[F51] one that was cut off from the store alone takes its living agents back, but not those that moved", async () => {
    const world = await openNodes();
    const [a, b] = [await world.startNode("a"), await world.startNode("b")];
    const [stayed, moved] = [await a.connect({ name: "stayed" }), await a.connect({ name: "moved" })];
    await world.clock.advance(answeredMsMin);
    a.cut(true);
    await world.clock.advance(5_000);
    const there = await b.connect({ id: moved.id, process: moved.process });
    await world.clock.advance(leaseMs + offlineAfterMs + 10_000);
    expect(await Promise.all([stayed, moved].map(world.statusOf))).toEqual(["offline", "online"]);
    // It left from there; that its first node never heard of its going must not bring it back.
    b.disconnect(there);
    await world.clock.advance(60_000);
    a.cut(false);
    await world.clock.advance(10_000);
    expect(await Promise.all([stayed, moved].map(world.statusOf))).toEqual(["online", "offline"]);
  });
});
