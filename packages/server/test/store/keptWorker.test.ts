/** A worker of the embedded store that dies: when the next one is started, how often at most, and what its callers hear. */
import { expect, it } from "vitest";
import { keepWorker, reopenApartMsMin, reopenMsMax } from "../../src/store/sqlite/keptWorker.ts";
import type { StoreWorker } from "../../src/store/sqlite/worker.ts";
import { createSimClock } from "../support/simClock.ts";

interface FakeWorker extends StoreWorker {
  die(error: unknown): void;
  readonly asked: number;
  readonly stopped: boolean;
}

/** Workers that start as `how` says: at once, never, or not at all. */
async function keep(before: Promise<unknown> = Promise.resolve()) {
  const clock = createSimClock();
  const started: FakeWorker[] = [];
  const told: unknown[] = [];
  let how: "well" | "never" | Error = "well";
  const waited: (Promise<unknown> | undefined)[] = [];
  const start = (
    _settings: unknown,
    onDeath: (error: unknown) => void,
    after?: Promise<unknown>,
  ): Promise<StoreWorker> => {
    waited.push(after);
    let asked = 0;
    let stopped = false;
    let dead: unknown;
    const worker: FakeWorker = {
      call: async () => {
        if (dead !== undefined) throw dead;
        asked += 1;
        return `worker ${started.indexOf(worker) + 1}`;
      },
      stop: async () => {
        stopped = true;
      },
      die(error) {
        dead = error;
        onDeath(error);
      },
      get asked() {
        return asked;
      },
      get stopped() {
        return stopped;
      },
    };
    started.push(worker);
    if (how instanceof Error) return Promise.reject(how);
    return how === "well"
      ? Promise.resolve(worker)
      : new Promise((done) => clock.after(2 * reopenMsMax, () => done(worker)));
  };
  const kept = await keepWorker({
    settings: { folder: "", plugins: [], role: "writer" },
    clock,
    onFailure: (error) => told.push(error),
    onReopened: (reopened) => told.push(reopened),
    before,
    start,
  });
  const ask = (): Promise<unknown> =>
    kept.call({ name: "positions", streams: [] }).catch((error: { code: string; cause: unknown }) => {
      expect(error.code).toBe("store_unavailable");
      return String(error.cause);
    });
  const startsNow = (next: typeof how): void => {
    how = next;
  };
  return { clock, started, waited, told, kept, ask, startsNow };
}

it("[AD-2] the next call starts another, once, however many ask, and all of them are answered by it", async () => {
  const { clock, started, told, ask } = await keep();
  await clock.advance(reopenApartMsMin);
  started[0]?.die(new Error("out of memory"));
  await clock.advance(200);
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(["worker 2", "worker 2", "worker 2"]);
  expect(await ask()).toBe("worker 2");
  expect(started).toHaveLength(2);
  expect(told).toEqual([new Error("out of memory"), { role: "writer", forMs: 200, attempts: 1 }]);
});

it("[I9] one that dies at once, again and again, is started every 5 s and no oftener", async () => {
  const { clock, started, ask } = await keep();
  for (let second = 0; second < 60; second += 1) {
    started.at(-1)?.die(new Error("poison"));
    for (let asked = 0; asked < 20; asked += 1) await ask();
    await clock.advance(1_000);
  }
  expect(started.length).toBe(1 + 59 / 5 - (59 % 5) / 5);
});

it("[AD-2] where it does not start, its callers hear why, and it is tried again after a while", async () => {
  const { clock, started, told, ask, startsNow } = await keep();
  await clock.advance(reopenApartMsMin);
  started[0]?.die(new Error("gone"));
  startsNow(new Error("the folder is in use"));
  expect(await ask()).toContain("writer does not open again");
  expect(await ask()).toContain("gone");
  expect(started).toHaveLength(2);
  await clock.advance(reopenApartMsMin);
  startsNow("well");
  expect(await ask()).toBe("worker 3");
  expect(told.at(-1)).toEqual({ role: "writer", forMs: reopenApartMsMin, attempts: 2 });
});

it("[AD-2] a start that takes for ever is given up, and one that ends late is stopped", async () => {
  const { clock, started, ask, startsNow } = await keep();
  await clock.advance(reopenApartMsMin);
  started[0]?.die(new Error("gone"));
  startsNow("never");
  const answer = ask();
  await clock.advance(reopenMsMax);
  expect(await answer).toContain("writer does not open again");
  startsNow("well");
  expect(await ask()).toBe("worker 3");
  await clock.advance(reopenMsMax);
  expect(started.map(({ stopped }) => stopped)).toEqual([false, true, false]);
});

it("[CL-9] a store that was closed starts nothing any more", async () => {
  const { clock, started, kept, ask } = await keep();
  await kept.stop();
  await clock.advance(reopenApartMsMin);
  expect(await ask()).toContain("the store is closed");
  expect(started).toHaveLength(1);
  expect(started[0]?.stopped).toBe(true);
});

it("what is to be done before the first start is not waited for by the next", async () => {
  const migrated = Promise.resolve();
  const { clock, started, waited, ask } = await keep(migrated);
  await clock.advance(reopenApartMsMin);
  started[0]?.die(new Error("out of memory"));
  expect(await ask()).toBe("worker 2");
  expect(waited).toEqual([migrated, undefined]);
});
