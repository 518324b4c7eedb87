/** Whether a run waits on for commands that are worked off one after the other. */
import { expect, it } from "vitest";
import type { Observation } from "../src/judge/observation.ts";
import { watchCommandQueues } from "../src/world/commandQueues.ts";

const accepted = (command: string, at: number): Observation => ({ kind: "commandAccepted", at, command, client: "c" });
const finished = (command: string, at: number): Observation => ({
  kind: "commandFinished",
  at,
  command,
  outcome: "completed",
});

function after(...history: readonly Observation[]) {
  const queues = watchCommandQueues();
  for (const observation of history) queues.heard(observation);
  return queues;
}

it("[I8] a queue that goes on ending is waited for, and one that stands still is the judge's", () => {
  const queues = after(accepted("a", 1), accepted("b", 2), finished("a", 100_000));
  expect([queues.isMoving(159_999), queues.isMoving(160_000)]).toEqual([true, false]);
});

it("[I8] what never moved is not waited for, and without commands nothing is", () => {
  expect(after(accepted("a", 1)).isMoving(60_000)).toBe(false);
  expect(after().isMoving(0)).toBe(false);
});

it("[I8] whoever sent the last one gets the time to be told, also where its end is seen before its acceptance", () => {
  const queues = after(finished("a", 50_000), accepted("a", 50_100));
  expect([queues.isMoving(59_999), queues.isMoving(60_000)]).toEqual([true, false]);
});
