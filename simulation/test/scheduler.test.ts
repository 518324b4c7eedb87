/** Virtual time: it goes on, in order, and a run in which it cannot is ended by name. */
import { describe, expect, it } from "vitest";
import { makeScheduler, Standstill } from "../src/core/scheduler.ts";
import { immediateTurns } from "../src/shell/turnsShell.ts";

describe("the scheduler", () => {
  it("runs what is planned in the order of time, one lane's in the order of planning, and nothing that was cancelled", async () => {
    const scheduler = makeScheduler(1, immediateTurns);
    const lane = scheduler.lane("one");
    const seen: string[] = [];
    scheduler.at(lane, 20, () => seen.push("late"));
    scheduler.at(lane, 10, () => seen.push("first"));
    scheduler.at(lane, 10, () => seen.push("second"));
    scheduler.cancel(scheduler.at(lane, 15, () => seen.push("cancelled")));
    await scheduler.run(19);
    expect([seen, scheduler.now, scheduler.waiting]).toEqual([["first", "second"], 19, 1]);
    await scheduler.run(20);
    expect(seen.at(-1)).toBe("late");
  });

  it("lets all promises settle between two events", async () => {
    const scheduler = makeScheduler(1, immediateTurns);
    const lane = scheduler.lane("one");
    let settled = 0;
    const chain = async (): Promise<void> => {
      for (let step = 0; step < 50; step += 1) await Promise.resolve();
      settled += 1;
    };
    const seen: number[] = [];
    scheduler.at(lane, 1, () => void chain());
    scheduler.at(lane, 1, () => seen.push(settled));
    await scheduler.run(1);
    expect(seen).toEqual([1]);
  });

  it("names a standstill: who plans for the same ms for ever never lets time go on", async () => {
    const scheduler = makeScheduler(1, immediateTurns);
    const lane = scheduler.lane("one");
    const again = (): void => void scheduler.at(lane, 5, again);
    again();
    await expect(scheduler.run(10)).rejects.toThrow(Standstill);
    expect(scheduler.now).toBe(5);
  });

  it("takes a crowd of one ms for no standstill, nor many events of many ms", async () => {
    const scheduler = makeScheduler(1, immediateTurns);
    const lane = scheduler.lane("one");
    let ran = 0;
    for (let at = 1; at <= 3; at += 1)
      for (let index = 0; index < 15_000; index += 1)
        scheduler.at(lane, at, () => {
          ran += 1;
        });
    await scheduler.run(3);
    expect(ran).toBe(45_000);
  });
});
