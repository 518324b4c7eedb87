/** The embedded store's thread ends: a failure of the database itself, whoever caused it (AD-2). */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { guardStore } from "../../src/admission/guardedStore.ts";
import { defaultAdmissionLimits } from "../../src/admission/limits.ts";
import { silentObserver } from "../../src/observe/observer.ts";
import type { Operation } from "../../src/store/port.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { ada, newId } from "../support/principals.ts";
import { createSimClock } from "../support/simClock.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

const mortalApp = new URL("../support/mortalApp.ts", import.meta.url);

/** A guarded store whose clock stands still, and everything that was told of it. */
async function openGuarded() {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-thread-"));
  cleanUp.push(() => rm(folder, { recursive: true }));
  const failures: unknown[] = [];
  const reopenings: unknown[] = [];
  const clock = createSimClock();
  const opened = await openSqliteStore({
    folder,
    plugins: [mortalApp],
    clock,
    onFailure: (error) => failures.push(error),
    onReopened: (reopened) => reopenings.push(reopened),
  });
  cleanUp.push(() => opened.close());
  const lines: (readonly [string, Readonly<Record<string, unknown>> | undefined])[] = [];
  const write = (event: string, fields?: Readonly<Record<string, unknown>>): void => void lines.push([event, fields]);
  const guarded = guardStore({
    store: opened,
    limits: defaultAdmissionLimits,
    place: { store: "sqlite", file: folder },
    clock,
    log: { debug: write, info: write, warn: write, error: write },
    observer: silentObserver,
  });
  cleanUp.push(() => guarded.health.stop());
  return { ...guarded, clock, failures, reopenings, lines };
}

const append = (data: unknown): Operation => ({
  kind: "append",
  workspace: "default",
  stream: "log",
  events: [{ event: "noted", data }],
});
const codeOf = (answer: Promise<unknown>): Promise<unknown> =>
  answer.then(
    () => "ok",
    (error: { code?: unknown }) => error.code,
  );

it("[AD-2][AD-4] a store's reader that ended opens the breaker, the log says so, and a probe starts it again", async () => {
  const { store, health, clock, failures, reopenings, lines } = await openGuarded();
  for (let asked = 0; asked < 3; asked += 1)
    expect(await codeOf(store.query(ada, "die", {}))).toBe("store_unavailable");
  expect(health.degraded).toBeDefined();
  expect(failures).toHaveLength(1);
  expect(lines.map(([event]) => event)).toEqual(["store.unavailable"]);
  expect(String(lines[0]?.[1]?.["error"])).toContain("the store's reader ended with code 3");
  const recovered = new Promise<void>((done) => health.onRecovered(done));
  await clock.advance(5_000);
  await recovered;
  expect(health.degraded).toBeUndefined();
  expect(reopenings).toEqual([{ role: "reader", forMs: 5_000, attempts: 1 }]);
  expect(await codeOf(store.position("default", "log"))).toBe("ok");
});

it("[AD-2][I3] a store's writer that ended is started again: what was answered is there, and writes go on", async () => {
  const { store, health, clock, reopenings } = await openGuarded();
  await store.commit([append(1)]);
  const fatal: Operation = { kind: "request", caller: ada, id: newId(), method: "dieWriting", params: {}, hash: "h" };
  expect(await codeOf(store.commit([append("never answered"), fatal]))).toBe("store_unavailable");
  // Within seconds of its start another one would only die of the same.
  for (let asked = 0; asked < 2; asked += 1) expect(await codeOf(store.commit([append(2)]))).toBe("store_unavailable");
  expect(health.degraded).toBeDefined();
  const recovered = new Promise<void>((done) => health.onRecovered(done));
  await clock.advance(5_000);
  await recovered;
  expect(reopenings).toMatchObject([{ role: "writer", attempts: 1 }]);
  const { appended } = await store.commit([append(2)]);
  expect(appended[0]?.offset).toBe(2);
});
