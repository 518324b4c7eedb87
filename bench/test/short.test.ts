/**
 * Each question for a second, so that the bench itself cannot rot, with floors that hold on a busy machine.
 *
 * Lost, repeated or reordered events fail a run by themselves. What depends on who else is on the machine
 * (latency, the peers' cost) is measured by `npm run bench`, not here.
 */
import { describe, expect, it } from "vitest";
import { load } from "../src/machine.ts";
import { wait } from "../src/ports/monotonic.ts";
import { append } from "../src/questions/append.ts";
import { measure, settled } from "../src/questions/measure.ts";
import { withWorld } from "../src/world.ts";

const limitMs = 120_000;
const shortly = { peers: [], profile: undefined, patienceMs: 0, say: () => {} };
const costMicrosecondsMax = 20;
const idleKiBMax = 15;
const catchUpEventsPerSecondMin = 20_000;
const stallMiBMax = 40;

describe(`a short bench, load ${load()}`, () => {
  it(
    "[ST-13] delivers all of 1,000 events/s to 100 readers, in order, at a bounded cost",
    async () => {
      await withWorld({ peer: "holdfast", publishers: 8 }, async (world) => {
        await world.readers({ readers: 100, wholeEvery: 10 });
        const before = (await world.mark()).publisher.sent;
        await world.publisher.call("begin", { ratePerSecond: 1_000, tickMs: 1, single: true });
        const stretch = await measure(world, 1);
        await world.publisher.call("end", null);
        const published = (await world.mark()).publisher.sent - before;
        expect(await settled(world, () => published, 20_000)).toBe(true);
        const { faults } = (await world.mark()).readers[0] ?? { faults: ["nobody read"] };
        expect(faults).toEqual([]);
        expect(stretch.deliveries).toBeGreaterThan(10_000);
        expect(stretch.cpuMicrosecondsPerDelivery).toBeLessThan(costMicrosecondsMax);
      });
    },
    limitMs,
  );

  it(
    "holds an idle connection in less than 15 KiB",
    async () => {
      await withWorld({ peer: "holdfast", collect: true }, async (world) => {
        await world.readers({ readers: 200 });
        await wait(200);
        const before = await world.server.call("usage", { collect: true });
        await world.readers({ readers: 1_000 });
        await wait(200);
        const after = await world.server.call("usage", { collect: true });
        expect((after.usedBytes - before.usedBytes) / 1_000 / 1_024).toBeLessThan(idleKiBMax);
      });
    },
    limitMs,
  );

  it(
    "[ST-11] a reader far behind comes back fast, and readers that stop cost no memory of their own",
    async () => {
      await withWorld({ peer: "holdfast", collect: true, watchSockets: true, eventBytes: 1_000 }, async (world) => {
        await world.publisher.call("fill", { events: 20_000, msMax: 60_000 });
        const reader = await world.readers({ readers: 1, subscribe: false });
        const wake = { from: "start", events: 20_001, msMax: 60_000 } as const;
        const [ms = Number.NaN] = await reader.call("wake", wake);
        expect((20_001 / ms) * 1_000).toBeGreaterThan(catchUpEventsPerSecondMin);

        const stopped = world.readersProcess();
        await stopped.call("open", world.readerOptions({ readers: 20 }));
        await stopped.call("stall", 20);
        const before = await world.server.call("usage", { collect: true });
        await world.publisher.call("fill", { events: 15_000, msMax: 60_000 });
        expect(await world.server.call("stalledSockets", null)).toBeGreaterThanOrEqual(20);
        const after = await world.server.call("usage", { collect: true });
        expect((after.residentBytes - before.residentBytes) / 1_048_576).toBeLessThan(stallMiBMax);
        await stopped.call("go", null);
        expect(await settled(world, () => 15_000, 30_000)).toBe(true);
        expect((await world.mark()).readers.flatMap(({ faults }) => faults)).toEqual([]);
      });
    },
    limitMs,
  );

  it(
    "[ST-13] each store makes batches of one, ten and a hundred events durable",
    async () => {
      const { findings, runs } = await append.run({ ...shortly, seconds: 0.1, runs: 1 });
      const stores = [...new Set(runs.map((run) => (run as { readonly store: string }).store))];
      // Where PostgreSQL is not installed it says so, and SQLite is measured all the same.
      expect(stores).toContain("sqlite");
      expect(runs).toHaveLength(7 * stores.length);
      for (const { what, seen } of findings) expect(seen.min, what).toBeGreaterThan(0);
    },
    limitMs,
  );
});
