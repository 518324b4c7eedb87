/**
 * How records come to the `connections` stream.
 *
 * Seen red: with a write for each record, with a failed batch forgotten, with the newest dropped, with a write begun
 * beside another, with one last write of 500 at a stop, with no end to those.
 */
import { expect, it } from "vitest";
import type { ConnectionRecord } from "../../src/observe/connectionRecord.ts";
import { createRecordKeeper } from "../../src/observe/recordKeeper.ts";
import type { KeptRecords } from "../../src/observe/recordsPlugin.ts";
import { createSimClock } from "../support/simClock.ts";

function start() {
  const clock = createSimClock();
  const writes: KeptRecords[] = [];
  const store = { failing: false, hanging: undefined as Promise<void> | undefined, slowMs: 0 };
  const keeper = createRecordKeeper({
    clock,
    write: async (kept) => {
      writes.push(kept);
      await store.hanging;
      if (store.slowMs > 0) await new Promise<void>((answered) => void clock.after(store.slowMs, answered));
      if (store.failing) throw new Error("the store is away, as asked");
    },
  });
  const add = (from: number, through: number): void => {
    for (let id = from; id <= through; id += 1) keeper.add({ connection: String(id) } as ConnectionRecord);
  };
  const ids = (): number[] => writes.flatMap(({ records }) => records.map(({ connection }) => Number(connection)));
  return { clock, writes, store, keeper, add, ids };
}

it("writes at most once a second, everything that came meanwhile, in order", async () => {
  const { clock, writes, add, ids } = start();
  add(1, 40);
  await clock.advance(999);
  expect(writes).toHaveLength(0);
  await clock.advance(1);
  add(41, 60);
  await clock.advance(500);
  add(61, 70);
  await clock.advance(10_000);
  expect(writes.map(({ records }) => records.length)).toEqual([40, 30]);
  expect(ids()).toEqual(Array.from({ length: 70 }, (_, index) => index + 1));
});

it("begins no write beside another, however long that takes", async () => {
  const { clock, writes, store, add } = start();
  let answer = (): void => {};
  store.hanging = new Promise((resolve) => {
    answer = resolve;
  });
  add(1, 1);
  await clock.advance(1_000);
  add(2, 3);
  await clock.advance(60_000);
  expect(writes).toHaveLength(1);
  store.hanging = undefined;
  answer();
  await clock.advance(2_000);
  expect(writes).toHaveLength(2);
});

it("keeps what the store did not take; beyond 10,000 the oldest go, and the log says how many", async () => {
  const { clock, writes, store, add, ids } = start();
  store.failing = true;
  add(1, 300);
  await clock.advance(60_000);
  expect(writes.length).toBeLessThanOrEqual(13);
  add(301, 10_250);
  writes.length = 0;
  store.failing = false;
  await clock.advance(60_000);
  expect(writes[0]?.dropped).toBe(250);
  expect(writes.slice(1).every(({ dropped }) => dropped === 0)).toBe(true);
  expect(ids()).toEqual(Array.from({ length: 10_000 }, (_, index) => index + 251));
});

it("writes what is left when the server stops, and leaves no timer", async () => {
  const { clock, add, keeper, ids } = start();
  add(1, 5);
  await keeper.stop();
  expect(ids()).toEqual([1, 2, 3, 4, 5]);
  expect(clock.timers).toBe(0);
});

it("writes all of a crowd that a stop has sent away, in its order", async () => {
  const { add, keeper, ids, writes } = start();
  add(1, 9_990);
  await keeper.stop();
  expect(ids()).toEqual(Array.from({ length: 9_990 }, (_, index) => index + 1));
  expect(Math.max(...writes.map(({ records }) => records.length))).toBeLessThanOrEqual(500);
});

it("[CL-9] a slow store holds up no stop: the newest are written, the rest is counted", async () => {
  const { clock, add, keeper, writes, store } = start();
  store.slowMs = 900;
  add(1, 9_000);
  const stopped = keeper.stop();
  await clock.advance(4 * store.slowMs);
  await stopped;
  expect(writes).toHaveLength(4);
  expect(writes.at(-1)?.records.at(-1)?.connection).toBe("9000");
  expect(writes.reduce((sum, { records, dropped }) => sum + records.length + dropped, 0)).toBe(9_000);
});

it("a store that is away gets one try at a stop", async () => {
  const { add, keeper, writes, store } = start();
  store.failing = true;
  add(1, 2_000);
  await keeper.stop();
  expect(writes).toHaveLength(1);
});
