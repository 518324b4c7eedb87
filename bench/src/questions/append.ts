/**
 * How fast each store takes events: batches of operations through the production store, each batch durable before the next.
 *
 * The store is opened as the server opens it (SQLite in its worker, PostgreSQL over its connection), with nothing above it:
 * no committer, no socket. One event an operation, as many publishers give a batch; and, as the prototype was measured, 100
 * events of 20 streams in 20 operations. Cases and stores alternate. Beside them stands what one `fdatasync` of the disk took.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platformClock, platformRandom } from "../../../packages/server/src/ports/platform.ts";
import type { Operation, Store } from "../../../packages/server/src/store/port.ts";
import { openPostgresStore } from "../../../packages/server/src/store/postgres/store.ts";
import { openSqliteStore } from "../../../packages/server/src/store/sqlite/store.ts";
import { startPostgres } from "../../../packages/server/test/support/postgresServer.ts";
import { waitForQuiet } from "../ports/machineBusy.ts";
import { monotonicMicroseconds } from "../ports/monotonic.ts";
import { percentile, rounded, spreadOf } from "../statistics.ts";
import { eventBytes } from "../world.ts";
import type { Finding, Question } from "./question.ts";

const app = new URL("../peers/holdfastApp.ts", import.meta.url);
const warmUpMs = 300;
const syncsMeasured = 100;
const pageBytes = 4_096;

interface Case {
  readonly operations: number;
  /** Of each operation. */
  readonly events: number;
  readonly streams: number;
}

/** The last one is the prototype's (ARCHITECTURE "The log, as prototyped"). */
const prototype: Case = { operations: 20, events: 5, streams: 20 };
const cases: readonly Case[] = [
  ...[1, 10, 100].flatMap((operations) => [1, 50].map((streams) => ({ operations, events: 1, streams }))),
  prototype,
];
/** Events a second of the prototypes: PostgreSQL in this case; SQLite in batches of 100 rows. */
const goals = { sqlite: 70_000, postgres: 78_000 } as const;
type Kind = keyof typeof goals;

interface Run {
  readonly store: Kind;
  readonly case: string;
  readonly eventsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Opened {
  readonly kind: Kind;
  readonly store: Store;
}

export const append: Question = {
  name: "append",
  asks: "batches that each store makes durable, of 1, 10 and 100 events for 1 and 50 streams",
  defaults: { seconds: 2, runs: 3 },
  async run({ seconds, runs: turns, patienceMs, say }) {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-append-"));
    const reservations: string[] = [];
    const postgres = await startPostgres().catch((error: unknown) => {
      reservations.push(`PostgreSQL was not measured: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    });
    const opened: Opened[] = [];
    try {
      const shared = { plugins: [app], clock: platformClock };
      opened.push({ kind: "sqlite", store: await openSqliteStore({ ...shared, folder, onFailure: fail }) });
      if (postgres !== undefined) {
        const url = await postgres.newDatabase();
        const store = await openPostgresStore({ ...shared, url, random: platformRandom, name: "bench" });
        opened.push({ kind: "postgres", store });
      }
      const runs: Run[] = [];
      const syncs: number[] = [];
      for (let turn = 0; turn < turns; turn += 1) {
        await waitForQuiet(patienceMs);
        syncs.push(syncMs(folder));
        for (const one of cases)
          for (const { kind, store } of opened) {
            const run = await measured(kind, store, one, seconds);
            say(`${kind}, ${run.case}: ${run.eventsPerSecond} events/s, p50 ${run.p50Ms} p99 ${run.p99Ms} ms`);
            runs.push(run);
          }
      }
      return { findings: [...findingsOf(runs), sync(syncs)], versions: {}, runs, reservations };
    } finally {
      for (const { store } of opened) await store.close();
      await postgres?.end();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function fail(error: unknown): never {
  throw error;
}

/** One batch after the other for so long. */
async function measured(kind: Kind, store: Store, one: Case, seconds: number): Promise<Run> {
  const data = { text: "x".repeat(eventBytes - 80) };
  const name = nameOf(one);
  // As many batches as it takes to come to each of the streams.
  const batches = Array.from({ length: Math.ceil(one.streams / one.operations) }, (_, turn) =>
    Array.from({ length: one.operations }, (_operation, index): Operation => {
      const stream = `bench/${name}/${(turn * one.operations + index) % one.streams}`;
      const events = Array.from({ length: one.events }, () => ({ event: "line", data }));
      return { kind: "append", workspace: "default", stream, events };
    }),
  );
  await commitFor(store, batches, warmUpMs);
  const tookMs = await commitFor(store, batches, seconds * 1_000);
  const totalMs = tookMs.reduce((sum, ms) => sum + ms, 0);
  return {
    store: kind,
    case: name,
    eventsPerSecond: rounded((tookMs.length * one.operations * one.events * 1_000) / totalMs),
    p50Ms: rounded(percentile(tookMs, 0.5)),
    p99Ms: rounded(percentile(tookMs, 0.99)),
  };
}

/** What each batch took, ms; one after the other, again and again. Throws where one was not taken whole. */
async function commitFor(
  store: Store,
  batches: readonly (readonly Operation[])[],
  ms: number,
): Promise<readonly number[]> {
  const took: number[] = [];
  const until = monotonicMicroseconds() + ms * 1_000;
  for (;;) {
    const before = monotonicMicroseconds();
    if (before >= until) return took;
    const { outcomes } = await store.commit(batches[took.length % batches.length] ?? []);
    took.push((monotonicMicroseconds() - before) / 1_000);
    const refused = outcomes.find((outcome) => !outcome.ok);
    if (refused !== undefined) throw new Error(`an append was refused: ${JSON.stringify(refused)}`);
  }
}

function nameOf({ operations, events, streams }: Case): string {
  const size = events === 1 ? `${operations}` : `${operations} × ${events}`;
  return `${size} for ${streams} ${streams === 1 ? "stream" : "streams"}`;
}

function findingsOf(runs: readonly Run[]): readonly Finding[] {
  const kinds = [...new Set(runs.map(({ store }) => store))];
  return kinds.flatMap((kind) =>
    cases.flatMap((one): readonly Finding[] => {
      const name = nameOf(one);
      const those = runs.filter((run) => run.store === kind && run.case === name);
      const goal = one === prototype ? { goal: goals[kind], atLeast: true } : {};
      const rate = spreadOf(those.map(({ eventsPerSecond }) => eventsPerSecond));
      return [
        { what: `${kind}, ${name}`, unit: "events/s", seen: rate, ...goal },
        { what: `${kind}, ${name}: p50`, unit: "ms", seen: spreadOf(those.map(({ p50Ms }) => p50Ms)) },
        { what: `${kind}, ${name}: p99`, unit: "ms", seen: spreadOf(those.map(({ p99Ms }) => p99Ms)) },
      ];
    }),
  );
}

function sync(syncs: readonly number[]): Finding {
  return { what: "fdatasync of the same disk, p50", unit: "ms", seen: spreadOf(syncs) };
}

/** The median of some: a page appended and synced. */
function syncMs(folder: string): number {
  const page = Buffer.alloc(pageBytes, 1);
  const descriptor = openSync(join(folder, "fsync.probe"), "w");
  try {
    const took = Array.from({ length: syncsMeasured }, () => {
      writeSync(descriptor, page);
      const before = monotonicMicroseconds();
      fdatasyncSync(descriptor);
      return (monotonicMicroseconds() - before) / 1_000;
    });
    return rounded(percentile(took, 0.5));
  } finally {
    closeSync(descriptor);
  }
}
