/** Retention: what goes, what stays, in which order, and what readers see of it (ST-10). */
import { limits } from "@holdfast/protocol";
import { type Kysely, sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Plugin, StreamFamily } from "../../src/plugin.ts";
import type { Dialect } from "../../src/store/dialect.ts";
import type { Engine } from "../../src/store/engine.ts";
import { defaultLifetimes, type Lifetimes, requestsKeptMs } from "../../src/store/lifetimes.ts";
import type { Retained, RetainStep } from "../../src/store/port.ts";
import { startRetention } from "../../src/store/retention.ts";
import { firstStep, nextStep, type Round } from "../../src/store/retentionPlan.ts";
import { type StoreTables, storeMigrations } from "../../src/store/schema.ts";
import { openSqlite } from "../../src/store/sqlite/dialect.ts";
import { openEngine } from "../support/engine.ts";
import { plugin as notes } from "../support/notesApp.ts";
import { createSimClock } from "../support/simClock.ts";

const day = 86_400_000;
const startMs = Date.UTC(2026, 0, 1);

/** Streams of work that a test opens and closes, and an inbox. */
function makeApp(open: ReadonlySet<string>): Plugin {
  const family = (name: string, rest: Partial<StreamFamily>): StreamFamily => ({
    name,
    always: false,
    inbox: false,
    mayRead: () => true,
    ...rest,
  });
  const isOpen = async (_tx: unknown, stream: string): Promise<boolean> => open.has(stream);
  return {
    ...notes,
    streams: [
      family("work/", {
        lifetime: "work",
        isOpen,
        scopeOf: (event, data) => (event === "text" ? `text/${(data as { of: string }).of}` : undefined),
      }),
      family("records", { lifetime: "records" }),
      family("inbox/", { inbox: true, isOpen }),
      family("kept/", {}),
    ],
  };
}

async function openStore(open: ReadonlySet<string> = new Set()) {
  const clock = { now: startMs };
  const { engine, dialect } = await openEngine([makeApp(open)], () => clock.now);
  return {
    clock,
    engine,
    dialect,
    append: (stream: string, ...events: { event: string; data: unknown; keyframe?: string }[]) =>
      engine.commit([{ kind: "append", workspace: "default", stream, events }]),
    /** Runs steps of this kind until nothing more is to be done; how many rows went, and in how many steps. */
    retain: (lifetimes: Partial<Lifetimes> = {}, only?: "replaced") => {
      const all = { ...defaultLifetimes, ...lifetimes };
      return retainAll(engine, { of: "events", from: { stream: 0, offset: 0 }, lifetimes: all, ...(only && { only }) });
    },
    offsets: (stream: string) => offsetsOf(dialect, stream),
    run: async (stream: string, offset: number) =>
      (await engine.read("default", stream, offset, 100_000, 100_000_000)).events.map(({ event, range }) =>
        range === undefined ? event : `${event} ${range.offset}-${range.through}`,
      ),
  };
}

async function retainAll(engine: Engine, first: RetainStep & { of: "events" }) {
  let removed = 0;
  let steps = 0;
  for (let step = first; ; ) {
    const { outcomes, faults } = await engine.commit([{ kind: "retain", step }]);
    if (faults[0] !== undefined) throw faults[0].error;
    const retained = (outcomes[0] as { value: Retained }).value;
    removed += retained.removed;
    steps += 1;
    if (retained.next === undefined) return { removed, steps };
    step = { ...step, from: retained.next };
  }
}

async function offsetsOf(dialect: Dialect, stream: string): Promise<number[]> {
  return (await dialect.read("default", stream, 0, 1_000_000, 1_000_000_000)).rows.map(({ offset }) => offset);
}

const text = (of: string) => ({ event: "text", data: { of } });
const whole = (of: string) => ({ event: "whole", data: { of }, keyframe: `text/${of}` });
const line = { event: "line", data: {} };

describe("retention of events", () => {
  it("[ST-10] in a stream that is done, what is past its time goes from the beginning on, and nothing else", async () => {
    const store = await openStore();
    await store.append("work/a", line, line, line);
    store.clock.now += 10 * day;
    await store.append("work/a", line, line);
    store.clock.now += 85 * day;
    expect((await store.retain()).removed).toBe(3);
    expect(await store.offsets("work/a")).toEqual([4, 5]);
    expect(await store.dialect.position("default", "work/a")).toMatchObject({ head: 5, trimmed: 3 });
    store.clock.now += 10 * day;
    expect((await store.retain()).removed).toBe(2);
    expect(await store.dialect.position("default", "work/a")).toMatchObject({ head: 5, trimmed: 5 });
    await store.append("work/a", line);
    expect(await store.offsets("work/a")).toEqual([6]);
  });

  it("[ST-10] in a stream with something open, only what a later keyframe of the same scope replaces goes", async () => {
    const store = await openStore(new Set(["work/a"]));
    await store.append("work/a", text("x"), line, text("y"), text("x"), whole("x"), text("x"), whole("x"), text("x"));
    store.clock.now += 100 * day;
    expect((await store.retain()).removed).toBe(4);
    expect(await store.offsets("work/a")).toEqual([2, 3, 7, 8]);
    expect(await store.run("work/a", 0)).toEqual(["skipped 1-1", "line", "text", "skipped 4-6", "whole", "text"]);
    // ST-10: cut at the reader's cursor.
    expect(await store.run("work/a", 4)).toEqual(["skipped 5-6", "whole", "text"]);
    // For `"start"` a removed beginning is `subscribed.offset`.
    expect(await store.dialect.position("default", "work/a")).toMatchObject({ trimmed: 1 });
    expect((await store.retain()).removed).toBe(0);
  });

  it("[ST-10] what is open, or done again, is judged in the transaction that removes it", async () => {
    const open = new Set(["work/a"]);
    const store = await openStore(open);
    await store.append("work/a", line, line);
    store.clock.now += 100 * day;
    expect((await store.retain()).removed).toBe(0);
    open.delete("work/a");
    expect((await store.retain()).removed).toBe(2);
  });

  it("[ST-10] each family keeps to its own row of the table, and one without a row keeps everything", async () => {
    const store = await openStore();
    for (const stream of ["work/a", "records", "kept/a"]) await store.append(stream, line);
    store.clock.now += 20 * day;
    await store.retain();
    expect(await Promise.all(["work/a", "records", "kept/a"].map(store.offsets))).toEqual([[1], [], [1]]);
    store.clock.now += 3_650 * day;
    await store.retain();
    expect(await Promise.all(["work/a", "records", "kept/a"].map(store.offsets))).toEqual([[], [], [1]]);
  });

  it("[ST-10][OP-8] an inbox loses what was acknowledged a day ago; what was not, only when nothing can wait for it", async () => {
    const open = new Set(["inbox/a"]);
    const store = await openStore(open);
    await store.append("inbox/a", line, line, line);
    const { epoch } = (await store.dialect.position("default", "inbox/a")) ?? { epoch: "" };
    await store.engine.commit([{ kind: "ack", workspace: "default", stream: "inbox/a", cursor: { epoch, offset: 2 } }]);
    await store.retain();
    expect(await store.offsets("inbox/a")).toEqual([1, 2, 3]);
    store.clock.now += 2 * day;
    await store.retain();
    expect(await store.offsets("inbox/a")).toEqual([3]);
    store.clock.now += 60 * day;
    await store.retain();
    expect(await store.offsets("inbox/a")).toEqual([3]);
    open.clear();
    await store.retain();
    expect(await store.offsets("inbox/a")).toEqual([]);
    expect(await store.dialect.position("default", "inbox/a")).toMatchObject({ head: 3, trimmed: 3, acknowledged: 2 });
  });

  it("[ST-10] goes in small steps over many streams, each of a bounded size, and ends", async () => {
    const store = await openStore();
    for (let stream = 0; stream < 450; stream += 1) await store.append(`kept/${stream}`, line);
    await store.append("work/many", ...Array.from({ length: 2_500 }, () => line));
    const large = { event: "line", data: "x".repeat(100 * 1024) };
    await store.append("work/large", ...Array.from({ length: 50 }, () => large));
    store.clock.now += 100 * day;
    const { removed, steps } = await store.retain();
    expect(removed).toBe(2_550);
    expect(steps).toBeGreaterThanOrEqual(3 + 5);
    expect(steps).toBeLessThan(20);
  });

  it("[ST-10] knows how large the log is, through appends and removals", async () => {
    const store = await openStore(new Set(["work/b"]));
    await store.append("work/a", { event: "line", data: "ä".repeat(1_000) }, line);
    await store.append("work/b", text("x"), whole("x"));
    const size = async () => {
      const { outcomes } = await store.engine.commit([{ kind: "retain", step: { of: "size" } }]);
      return (outcomes[0] as { value: Retained }).value.size;
    };
    const before =
      JSON.stringify("ä".repeat(1_000)).length + 1_000 + "{}".length + 2 * JSON.stringify({ of: "x" }).length;
    expect(await size()).toMatchObject({ eventBytes: before });
    expect((await size())?.diskBytes).toBeGreaterThan(before);
    store.clock.now += 100 * day;
    await store.retain();
    expect(await size()).toMatchObject({ eventBytes: JSON.stringify({ of: "x" }).length });
  });
});

describe("a store from before retention", () => {
  it("knows after its migration how large each stream is", async () => {
    const dialect = openSqlite({ file: ":memory:", readOnly: false });
    const db = dialect.kysely as Kysely<StoreTables>;
    await storeMigrations["store-001-log"]?.up(db);
    await sql`insert into streams (id, workspace, name, epoch, head, acknowledged) values (1, 'default', 'work/a', 'e', 2, 0), (2, 'default', 'work/b', 'e', 0, 0)`.execute(
      db,
    );
    await sql`insert into events values (1, 1, 0, 'line', null, '"ä"'), (1, 2, 0, 'line', 'scope', '{}')`.execute(db);
    await storeMigrations["store-002-retention"]?.up(db);
    const streams = await db.selectFrom("streams").select(["name", "bytes", "removed"]).orderBy("name").execute();
    expect(streams).toEqual([
      { name: "work/a", bytes: 6, removed: 0 },
      { name: "work/b", bytes: 0, removed: 0 },
    ]);
    await dialect.close();
  });
});

describe("the order of a round", () => {
  const lifetimes: Lifetimes = { ...defaultLifetimes, workMs: 8 * day, workBytesMax: 1_000 };
  const none: Retained = { removed: 0, next: undefined };

  /** Plays a round: `freed` is what each pass over all events under pressure removes. */
  function play(eventBytes: number, freed: (step: RetainStep & { of: "events" }) => number): string[] {
    const played: string[] = [];
    let round: Round = firstStep();
    while (round.kind === "step") {
      const { step } = round;
      const days = step.of === "events" ? ` ${step.lifetimes.workMs / day}d${step.only ? " replaced" : ""}` : "";
      played.push(`${step.of}${days}`);
      const size = step.of === "size" ? { size: { eventBytes, diskBytes: 0 } } : {};
      const bytes = step.of === "events" ? freed(step) : 0;
      round = nextStep(round, { ...none, ...size, bytes }, lifetimes);
    }
    return [...played, round.isFull ? "full" : "over"];
  }

  it("[ST-10] a store that fits loses only what is past its time", () => {
    expect(play(1_000, () => 0)).toEqual(["requests", "producers", "events 8d", "size", "over"]);
  });

  it("[ST-10] one that is too large loses replaced events first, then older work, and no more than it takes", () => {
    const freed = (step: RetainStep & { of: "events" }): number =>
      step.only ? 300 : step.lifetimes.workMs === 2 * day ? 500 : 0;
    expect(play(1_700, freed).slice(3)).toEqual(["size", "events 1d replaced", "events 4d", "events 2d", "over"]);
  });

  it("[ST-10] what is younger than a day stays however large it is, and that is told", () => {
    expect(play(2_000, () => 0).slice(3)).toEqual([
      "size",
      "events 1d replaced",
      "events 4d",
      "events 2d",
      "events 1d",
      "full",
    ]);
  });

  it("[RQ-1] a stored answer is kept longer than a request's id is accepted", () => {
    expect(firstStep()).toEqual({ kind: "step", step: { of: "requests", keptMs: requestsKeptMs } });
    expect(requestsKeptMs).toBeGreaterThan(limits.requestIdAgeMsMax);
  });
});

describe("the job", () => {
  const collected = () => {
    const lines: string[] = [];
    const write = (event: string) => void lines.push(event);
    return { lines, log: { debug: write, info: write, warn: write, error: write } };
  };

  it("[ST-10] runs a round a minute, stays away between steps, and counts what went", async () => {
    const clock = createSimClock();
    const { engine } = await openEngine([makeApp(new Set())], () => clock.now());
    await engine.commit([
      { kind: "append", workspace: "default", stream: "work/a", events: Array.from({ length: 2_500 }, () => line) },
    ]);
    await clock.advance(91 * day);
    const { lines, log } = collected();
    const at: number[] = [];
    const store = {
      commit: (batch: Parameters<Engine["commit"]>[0]) => {
        at.push(clock.monotonic());
        return engine.commit(batch);
      },
    };
    const began = clock.monotonic();
    const retention = startRetention({ store, clock, log, lifetimes: defaultLifetimes });
    await clock.advance(59_999);
    expect(at).toEqual([]);
    await clock.advance(1_001);
    expect(retention.figures).toMatchObject({
      removed: { events: 2_500, requests: 0 },
      size: { eventBytes: 0 },
      isFull: false,
    });
    expect(at[0]).toBe(began + 60_000);
    expect(at.slice(1).every((time, index) => time - (at[index] ?? 0) >= 20)).toBe(true);
    expect(lines).toEqual(["retention.removed"]);
    retention.stop();
    const steps = at.length;
    await clock.advance(120_000);
    expect(at).toHaveLength(steps);
  });

  it("[ST-10] a store that does not answer ends the round, says so once, and the next begins anew", async () => {
    const clock = createSimClock();
    const { engine } = await openEngine([makeApp(new Set())], () => clock.now());
    const { lines, log } = collected();
    let failing = true;
    const store = {
      commit: (batch: Parameters<Engine["commit"]>[0]) =>
        failing ? Promise.reject(new Error("the store is down, as asked")) : engine.commit(batch),
    };
    const retention = startRetention({ store, clock, log, lifetimes: defaultLifetimes });
    await clock.advance(60_500);
    expect(lines).toEqual(["retention.failed"]);
    failing = false;
    await clock.advance(61_000);
    expect(retention.figures.size).toBeDefined();
    expect(lines).toEqual(["retention.failed"]);
    retention.stop();
  });
});
