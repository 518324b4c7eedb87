/** The embedded store's thread ends: a failure of the database itself, whoever caused it (AD-2). */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { guardStore } from "../../src/admission/guardedStore.ts";
import { defaultAdmissionLimits } from "../../src/admission/limits.ts";
import { silentObserver } from "../../src/observe/observer.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { ada } from "../support/principals.ts";
import { createSimClock } from "../support/simClock.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

it("[AD-2][AD-4] a store's thread that ended opens the breaker, and the log says so", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-thread-"));
  cleanUp.push(() => rm(folder, { recursive: true }));
  const failures: unknown[] = [];
  const opened = await openSqliteStore({
    folder,
    plugins: [new URL("../support/mortalApp.ts", import.meta.url)],
    onFailure: (error) => failures.push(error),
  });
  cleanUp.push(() => opened.close());
  const lines: (readonly [string, Readonly<Record<string, unknown>> | undefined])[] = [];
  const write = (event: string, fields?: Readonly<Record<string, unknown>>): void => void lines.push([event, fields]);
  const { store, health } = guardStore({
    store: opened,
    limits: defaultAdmissionLimits,
    place: { store: "sqlite", file: folder },
    clock: createSimClock(),
    log: { debug: write, info: write, warn: write, error: write },
    observer: silentObserver,
  });
  cleanUp.push(() => health.stop());
  const ask = () =>
    store.query(ada, "die", {}).then(
      () => undefined,
      (error: unknown) => error,
    );
  for (let asked = 0; asked < 3; asked += 1) expect(await ask()).toMatchObject({ code: "store_unavailable" });
  expect(health.degraded).toBeDefined();
  expect(failures).toHaveLength(1);
  expect(lines.map(([event]) => event)).toEqual(["store.unavailable"]);
  expect(String(lines[0]?.[1]?.["error"])).toContain("the store's reader ended with code 3");
});
