/** How long readers waited, phase by phase. */
import { expect, it } from "vitest";
import { createPhases } from "../src/processes/phases.ts";

it("tells of each phase its delays, and of each reader the longest time without an event, the last one too", () => {
  let now = 1_000;
  const phases = createPhases(() => now);
  const see = (at: number, reader: string, made: number): void => {
    now = at;
    phases.saw(reader, made);
  };
  see(1_000, "before any phase", 0);
  phases.begin("one");
  for (const at of [1_100, 1_200, 2_200]) see(at, "a", at - 10);
  see(2_200, "b", 1_200);
  now = 2_500;
  phases.begin("two");
  see(2_600, "a", 2_600);
  now = 3_000;
  expect(phases.end()).toEqual([
    {
      name: "one",
      events: 4,
      delays: { p50: 10, p99: 1_000, max: 1_000 },
      pauses: { p50: 1_000, p99: 1_500, max: 1_500 },
    },
    { name: "two", events: 1, delays: { p50: 0, p99: 0, max: 0 }, pauses: { p50: 500, p99: 500, max: 500 } },
  ]);
});
