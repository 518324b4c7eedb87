/**
 * Faults on demand: beneath everything, for their time, and only where they are offered.
 *
 * Seen red: with a store that answers what was under way; with a silent bus that still hears; with `until` believed beyond
 * the bound.
 */
import { describe, expect, it } from "vitest";
import type { Fault } from "../../src/faults/fault.ts";
import { createFaults } from "../../src/faults/faults.ts";
import { weatherMethod } from "../../src/faults/weatherMethod.ts";
import { readNotice } from "../../src/nodes/notice.ts";
import { operationsMethods } from "../../src/observe/operationsPlugin.ts";
import { isOutage } from "../../src/store/outage.ts";
import type { Bus, BusNotice } from "../../src/streams/bus.ts";
import { collectLog } from "../auth/authWorld.ts";
import { openEngine } from "../support/engine.ts";
import { ada, uuidAt } from "../support/principals.ts";
import { createSimClock } from "../support/simClock.ts";
import { inThread } from "../support/world.ts";

async function open() {
  const clock = createSimClock();
  const { engine, dialect } = await openEngine(undefined, () => clock.now());
  const hearers = new Set<(notice: BusNotice) => void>();
  const said: string[] = [];
  const bus: Bus = {
    publish: () => void said.push("heads"),
    publishSignals: () => void said.push("signals"),
    listen(hear) {
      hearers.add(hear);
      return () => hearers.delete(hear);
    },
  };
  let restarts = 0;
  const restart = (): void => {
    restarts += 1;
  };
  const { log, lines } = collectLog();
  const faults = createFaults({ store: inThread(engine, dialect), bus, clock, log, restart });
  const heard: BusNotice[] = [];
  faults.bus?.listen((notice) => void heard.push(notice));
  return {
    clock,
    faults,
    heard,
    said,
    lines,
    restarts: () => restarts,
    make: (fault: Fault, ms: number) => faults.make({ fault, until: clock.now() + ms, by: "ada" }),
    hear: () => {
      for (const hear of hearers) hear({ kind: "all" });
    },
    read: () => faults.store.position("default", "notes"),
    add: (text: string) =>
      faults.store.commit([
        { kind: "request", caller: ada, id: uuidAt({ clock }), method: "note.add", params: { text }, hash: text },
      ]),
  };
}

describe("the store, taken away", () => {
  it("[AD-2] fails as a lost database does, for its time; what was under way is done and not answered", async () => {
    const world = await open();
    const underWay = world.add("one");
    world.make("storeAway", 5_000);
    const failure = await underWay.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(isOutage(failure)).toBe(true);
    await expect(world.read()).rejects.toThrow("taken away");
    await expect(world.add("two")).rejects.toThrow("taken away");
    await world.clock.advance(5_000);
    const { outcome } = await world.faults.store.query(ada, "note.list", {});
    expect(outcome).toEqual({ ok: true, value: { items: [{ text: "one" }] } });
  });

  it("comes back within a minute, whatever was told, and what is over already does nothing", async () => {
    const world = await open();
    world.make("storeAway", -1);
    expect(await world.read()).toBeNull();
    world.make("storeAway", 1_000_000_000);
    await world.clock.advance(59_000);
    await expect(world.read()).rejects.toThrow("taken away");
    await world.clock.advance(1_000);
    expect(await world.read()).toBeNull();
    expect(world.lines).toMatchObject([{ event: "weather.fault_made", fields: { fault: "storeAway", by: "ada" } }]);
  });
});

it("the bus, lost, is silent both ways for its time", async () => {
  const world = await open();
  const speak = (): void => {
    world.faults.bus?.publish([]);
    world.faults.bus?.publishSignals([]);
    world.hear();
  };
  world.make("busLost", 1_000);
  speak();
  expect([world.said, world.heard]).toEqual([[], []]);
  await world.clock.advance(1_000);
  speak();
  expect([world.said, world.heard]).toEqual([["heads", "signals"], [{ kind: "all" }]]);
});

it("the server is started again where somebody can", async () => {
  const world = await open();
  world.make("restart", 1_000);
  expect(world.restarts()).toBe(1);
  expect(world.faults.offered).toEqual(["storeAway", "busLost", "restart"]);
});

describe("weather.make", () => {
  it("is there in development mode only, and takes what is offered", () => {
    expect(operationsMethods({ levels: true, faults: [] })).not.toHaveProperty(["weather.make"]);
    const { params, role } = weatherMethod(["storeAway"]);
    const takes = (fault: string, seconds?: number): boolean => params.safeParse({ fault, seconds }).success;
    expect(role).toBe("admin");
    expect([takes("storeAway"), takes("restart"), takes("storeAway", 61), takes("storeAway", 0)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it("is told to nodes as what it is, and anything else as something unknown", () => {
    const data = { fault: "busLost", until: 5, by: "ada" };
    expect(readNotice("weather", data)).toEqual({ kind: "weather", ...data });
    for (const wrong of [{ ...data, fault: "hail" }, { ...data, until: "5" }, { ...data, by: "" }, null])
      expect(readNotice("weather", wrong)).toEqual({ kind: "unknown" });
  });
});
