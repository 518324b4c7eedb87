/** What leads a batch: first in its transaction, asked once a batch, and nobody else's trouble. */
import { expect, it } from "vitest";
import type { BatchResult, Operation } from "../../src/store/port.ts";
import { createCommitter, type Waiting } from "../../src/streams/committer.ts";
import { createSimClock } from "../support/simClock.ts";

function openCommitter(leading: () => readonly Waiting[]) {
  const clock = createSimClock();
  const batches: (readonly Operation[])[] = [];
  let isDown = false;
  const quiet = () => undefined;
  const committer = createCommitter({
    clock,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    deliver: quiet,
    leading,
    store: {
      async commit(batch): Promise<BatchResult> {
        batches.push(batch);
        if (isDown) throw new Error("no store");
        return { outcomes: batch.map((_, index) => ({ ok: true, value: index })), appended: [], faults: [] };
      },
    },
  });
  return {
    clock,
    batches,
    committer,
    fail(value: boolean) {
      isDown = value;
    },
  };
}

const task = (name: string): Operation => ({ kind: "task", workspace: "default", task: name, input: null });

it("[F51] what leads goes before all that was gathered, in the same batch, and has its own answer", async () => {
  const told: unknown[] = [];
  let asked = 0;
  const { clock, batches, committer } = openCommitter(() => {
    asked += 1;
    return asked === 1 ? [{ operation: task("lease"), done: (outcome) => told.push(outcome) }] : [];
  });
  const answers = [committer.run(task("one")), committer.run(task("two"))];
  await clock.advance(100);
  expect(batches).toEqual([[task("lease"), task("one"), task("two")]]);
  expect(told).toEqual([{ ok: true, value: 0 }]);
  expect(await Promise.all(answers)).toEqual([1, 2]);
  const later = committer.run(task("three"));
  await clock.advance(100);
  expect(await later).toBe(0);
  expect([asked, batches[1]]).toEqual([2, [task("three")]]);
});

it("[F51] where the store does not take the batch, what leads is told so, and leads the next", async () => {
  const told: boolean[] = [];
  const world = openCommitter(() => [{ operation: task("lease"), done: ({ ok }) => told.push(ok) }]);
  world.fail(true);
  const refused = world.committer.run(task("one")).catch((error: unknown) => String(error));
  await world.clock.advance(100);
  expect(await refused).toContain("store");
  world.fail(false);
  const taken = world.committer.run(task("one"));
  await world.clock.advance(100);
  expect(await taken).toBe(1);
  expect(told).toEqual([false, true]);
  expect(world.batches.map(([first]) => first)).toEqual([task("lease"), task("lease")]);
});
