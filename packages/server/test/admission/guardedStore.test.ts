/** The store behind its breaker: what counts, what waits, and what a probe asks (AD-2). */

import { ProtocolError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { guardStore } from "../../src/admission/guardedStore.ts";
import { type AdmissionLimits, defaultAdmissionLimits } from "../../src/admission/limits.ts";
import { silentObserver } from "../../src/observe/observer.ts";
import { StoreLost } from "../../src/store/outage.ts";
import type { BatchResult, Operation, Store } from "../../src/store/port.ts";
import { ada } from "../support/principals.ts";
import { createSimClock } from "../support/simClock.ts";

const done: BatchResult = { outcomes: [{ ok: true, value: null }], faults: [], appended: [] };
const found = { outcome: { ok: true, value: 1 } as const, faults: [] };

function world(extras: Partial<AdmissionLimits> = {}) {
  const clock = createSimClock();
  const lines: { event: string; fields: Readonly<Record<string, unknown>> | undefined }[] = [];
  const write = (event: string, fields?: Readonly<Record<string, unknown>>): void => void lines.push({ event, fields });
  const commits: (readonly Operation[])[] = [];
  const answers = {
    read: async (): Promise<never> => {
      throw new Error("this row does not parse");
    },
    commit: async (): Promise<BatchResult> => done,
    query: async () => found as Awaited<ReturnType<Store["query"]>>,
  };
  const store: Store = {
    commit: (batch) => {
      commits.push(batch);
      return answers.commit();
    },
    position: async () => null,
    positions: async () => [],
    snapshot: async () => null,
    read: () => answers.read(),
    query: () => answers.query(),
    close: async () => {},
  };
  const log = { debug: write, info: write, warn: write, error: write };
  const limits = { ...defaultAdmissionLimits, ...extras };
  const guarded = guardStore({
    store,
    limits,
    place: { store: "made up", host: "db.example", port: 5432 },
    clock,
    log,
    observer: silentObserver,
  });
  return { ...guarded, clock, lines, commits, answers };
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a guarded store", () => {
  it("[AD-2][ST-8] one statement's error never counts, and reaches who asked as it is", async () => {
    const { store, health, answers } = world();
    for (let asked = 0; asked < 20; asked += 1)
      expect(String(await failureOf(store.read("w", "s", 0, 1, 1)))).toBe("Error: this row does not parse");
    // As a store says it of everything: its cause decides.
    answers.read = async () => {
      throw new ProtocolError("store_unavailable", "no answer", { cause: new Error("this row does not parse") });
    };
    for (let asked = 0; asked < 20; asked += 1)
      expect(String(await failureOf(store.read("w", "s", 0, 1, 1)))).toBe("Error: this row does not parse");
    expect(health.degraded).toBeUndefined();
    answers.read = async () => {
      throw new StoreLost("gone");
    };
    for (let asked = 0; asked < 3; asked += 1)
      expect(await failureOf(store.read("w", "s", 0, 1, 1))).toMatchObject({ code: "store_unavailable" });
    expect(health.degraded).toMatchObject({ reason: "store_unavailable" });
  });

  it("[AD-2] a probe writes and reads; one that is refused by the database keeps it open", async () => {
    const { store, health, answers, clock, commits } = world();
    const full = Object.assign(new Error("database or disk is full"), { errcode: 13 });
    answers.commit = async () => {
      throw full;
    };
    for (let asked = 0; asked < 3; asked += 1) await failureOf(store.commit([]));
    commits.length = 0;
    await clock.advance(12_000);
    expect(commits).toEqual([[{ kind: "probe" }], [{ kind: "probe" }]]);
    expect(health.degraded).toBeDefined();
    const undone = new ProtocolError("store_unavailable", "x", { retryAfter: 1_000 }).toBody();
    answers.commit = async () => ({ ...done, outcomes: [{ ok: false, error: undone }] });
    await clock.advance(5_000);
    expect(health.degraded).toBeDefined();
    answers.commit = async () => done;
    await clock.advance(5_000);
    expect(health.degraded).toBeUndefined();
  });

  it("[AD-2][ST-8] a probe whose own table may not be written ends the outage: the database said so", async () => {
    const { store, health, answers, clock } = world();
    answers.commit = async () => {
      throw new StoreLost("gone");
    };
    for (let asked = 0; asked < 3; asked += 1) await failureOf(store.commit([]));
    expect(health.degraded).toBeDefined();
    const refused = new ProtocolError("internal", "probe failed").toBody();
    answers.commit = async () => ({ ...done, outcomes: [{ ok: false, error: refused }] });
    await clock.advance(5_000);
    expect(health.degraded).toBeUndefined();
  });

  it("[AD-4][F78] a store that comes and goes is told once a minute, with how often", async () => {
    const { store, health, answers, clock, lines } = world();
    for (let second = 0; second < 300; second += 1) {
      // Each probe succeeds, and what follows fails.
      answers.commit = async () => {
        if (health.degraded === undefined) throw new StoreLost("gone");
        return done;
      };
      for (let asked = 0; asked < 3; asked += 1) await failureOf(store.commit([]));
      await clock.advance(1_000);
    }
    const outages = lines.filter(({ event }) => event === "store.unavailable");
    expect(outages.length).toBeLessThanOrEqual(6);
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(outages[1]?.fields).toMatchObject({ store: "made up", host: "db.example", port: 5432 });
    expect(outages[1]?.fields?.["outages"]).toBeGreaterThan(5);
  });

  it("[AD-2] read methods are at the store so many at a time; who waits has no deadline yet", async () => {
    const { store, health, answers, clock } = world({ storeQueriesUnderWayMax: 2, storeCallMsMax: 1_000 });
    let atOnce = 0;
    let most = 0;
    answers.query = () =>
      new Promise((resolve) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        clock.after(900, () => {
          atOnce -= 1;
          resolve(found);
        });
      });
    const asked = Array.from({ length: 20 }, () => store.query(ada, "note.list", {}));
    await clock.advance(10_000);
    expect((await Promise.all(asked)).length).toBe(20);
    expect([most, health.degraded]).toEqual([2, undefined]);
  });

  it("[F72] one who hears of the return and throws keeps nobody else from it", async () => {
    const { store, health, answers, clock, lines } = world();
    answers.commit = async () => {
      throw new StoreLost("gone");
    };
    for (let asked = 0; asked < 3; asked += 1) await failureOf(store.commit([]));
    const heard: string[] = [];
    health.onRecovered(() => {
      throw new TypeError("not me");
    });
    const forget = health.onRecovered(() => void heard.push("forgotten"));
    health.onRecovered(() => void heard.push("last"));
    forget();
    answers.commit = async () => done;
    await clock.advance(6_000);
    expect(heard).toEqual(["last"]);
    expect(lines.map(({ event }) => event)).toContain("store.recovery_failed");
    health.stop();
    expect(clock.timers).toBe(0);
  });
});
