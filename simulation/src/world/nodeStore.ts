/**
 * A node's store: the database behind latency, errors, hanging, lost answers and an untimely death.
 *
 * A call travels to the database, takes effect there in one moment, and its answer travels back. Faults say what of
 * this fails: nothing is done (an error before anything), it is done and the answer is lost (an unknown commit), it
 * is done much later than the answer says (a first attempt still in flight), nothing answers at all. In an embedded
 * database what was under way dies with its process; a separate one finishes it. What became durable is told to
 * `committed` at the moment it did, whether or not anybody ever hears.
 */
import { ProtocolError, type Random } from "@holdfast/protocol";
import type { Dialect } from "../../../packages/server/src/store/dialect.ts";
import type { Engine } from "../../../packages/server/src/store/engine.ts";
import type { BatchResult, Operation, Store } from "../../../packages/server/src/store/port.ts";
import type { Dice } from "../core/dice.ts";
import type { Process } from "../core/process.ts";
import type { Lane, Scheduler } from "../core/scheduler.ts";
import type { Trace } from "../core/trace.ts";
import type { Database } from "./database.ts";

/** SQLite's primary result codes for what the simulated disk does. */
const ioError = 10;
const diskFull = 13;
const anyError = 1;
const retryAfterMs = 5_000;
/** How long a first attempt may go on after its caller was told that it failed. */
const lateCommitMsMax = 2_000;
/** How soon a call notices that what it hangs in is over. */
const hangLookMs = 250;

/** How the store fares now; faults set it, all nodes feel it. */
export interface StoreWeather {
  /** Mean of one way. */
  latencyMs: number;
  /** Every call fails before anything is done. */
  isDown: boolean;
  /** Nothing answers before this virtual time. */
  hangsUntil: number;
  isFull: boolean;
  /** Reads of streams whose names begin so, in every workspace, fail; all else works. */
  unreadable: string | undefined;
  /** When a call last failed as a whole for it, or was slow. */
  feltAt: number;
  /** When it last took nothing, of anybody. */
  failedAt: number;
  /** What becomes of the next commits' answers, one each. */
  readonly unknownCommits: UnknownCommit[];
  /** Where the node of the next commit dies. */
  crash: CrashPoint | undefined;
}

/** `done`: durable, answered with an error. `late`: answered with an error, durable a while after. */
export type UnknownCommit = "done" | "late";
/** Around a commit: before it, after it and before its answer, or in the middle of the answers that follow. */
export type CrashPoint = "before" | "between" | "answering";

export interface NodeStoreParts {
  readonly scheduler: Scheduler;
  readonly process: Process;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly weather: StoreWeather;
  readonly database: Database;
  readonly random: Random;
  /** What was under way when the process ends is done all the same. */
  readonly isSeparate: boolean;
  /** What became durable, and by which operations. */
  readonly committed: (batch: readonly Operation[], result: BatchResult) => Promise<void>;
  /** The weather did something to a call of this node. */
  readonly felt: (fault: StoreFault) => void;
  /** It dies here. */
  readonly crash: (point: CrashPoint) => void;
}

export type StoreFault = "storeError" | "storeHang" | "storeSlow" | "diskFull" | "unreadableTable" | "unknownCommit";

export function openNodeStore(
  parts: NodeStoreParts,
): Store & { readonly underWay: { commits: number; reads: number } } {
  const { scheduler, process, dice, trace, weather, database, isSeparate, committed, felt, crash } = parts;
  const engine: Engine = database.engine(process.clock, parts.random);
  const dialect: Dialect = database.dialect;
  const lane: Lane = scheduler.lane(`${process.name} store`);
  const underWay = { commits: 0, reads: 0 };

  const wayMs = (): number => Math.max(0, dice.exponentialMs(weather.latencyMs));

  const commitNow = async (batch: readonly Operation[]): Promise<BatchResult> => {
    const result = await engine.commit(batch);
    trace.note(process.name, "store", `commit ${outcomesOf(result)}`);
    await committed(batch, result);
    return result;
  };

  const failure = (): ProtocolError | undefined => {
    if (!weather.isDown) return undefined;
    felt("storeError");
    return unavailable("disk I/O error", ioError);
  };

  /** A commit at the moment in which it takes effect. */
  const performCommit = async (batch: readonly Operation[]): Promise<BatchResult> => {
    const failed = failure();
    if (failed !== undefined) throw failed;
    if (weather.isFull && batch.some(({ kind }) => kind !== "retain")) {
      felt("diskFull");
      throw unavailable("database or disk is full", diskFull);
    }
    const { crash: point } = weather;
    if (point === "before") {
      weather.crash = undefined;
      crash(point);
      throw unavailable("the process is gone", ioError);
    }
    const unknown = weather.unknownCommits.shift();
    if (unknown === "late") {
      felt("unknownCommit");
      scheduler.at(
        lane,
        scheduler.now + dice.integer(50, lateCommitMsMax),
        () => void commitNow(batch).catch(() => {}),
      );
      throw unavailable("the connection was lost after the commit was sent", ioError);
    }
    const result = await commitNow(batch);
    if (point !== undefined && result.appended.length > 0) {
      weather.crash = undefined;
      crash(point);
    }
    if (unknown === "done") {
      felt("unknownCommit");
      throw unavailable("the connection was lost after the commit was sent", ioError);
    }
    return result;
  };

  const ask = <Value>(counter: "commits" | "reads", what: string, perform: () => Promise<Value>): Promise<Value> =>
    new Promise((resolve, reject) => {
      underWay[counter] += 1;
      const answer = (settle: () => void): void => {
        process.arrive(scheduler.now + wayMs(), () => {
          underWay[counter] -= 1;
          settle();
        });
      };
      let hangs = false;
      const take = (): void => {
        if (!process.isAlive && !isSeparate) return;
        if (scheduler.now < weather.hangsUntil) {
          if (!hangs) felt("storeHang");
          hangs = true;
          // It may be over sooner than it was to be, and then is so for everybody.
          scheduler.at(lane, Math.min(weather.hangsUntil, scheduler.now + hangLookMs), take);
          return;
        }
        perform().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => {
            trace.note(process.name, "store", `${what} failed: ${String((error as Error).message)}`);
            answer(() => reject(error));
          },
        );
      };
      const ms = wayMs();
      if (ms > 200) felt("storeSlow");
      scheduler.at(lane, scheduler.now + ms, take);
    });

  const read = <Value>(what: string, stream: string | undefined, perform: () => Promise<Value>): Promise<Value> =>
    ask("reads", what, () => {
      const failed = failure();
      if (failed !== undefined) return Promise.reject(failed);
      if (weather.unreadable !== undefined && stream?.startsWith(weather.unreadable) === true) {
        felt("unreadableTable");
        return Promise.reject(sqliteError("no such table: events_of_this_stream", anyError));
      }
      return perform();
    });

  return {
    underWay,
    commit: (batch) => ask("commits", "commit", () => performCommit(batch)),
    position: (workspace, stream) => read("position", stream, () => dialect.position(workspace, stream)),
    positions: (streams) => read("positions", undefined, () => dialect.positions(streams)),
    snapshot: (workspace, stream) => read("snapshot", stream, () => engine.snapshot(workspace, stream)),
    read: (workspace, stream, ...range) => read("read", stream, () => engine.readEncoded(workspace, stream, ...range)),
    query: (caller, method, params) => read("query", undefined, () => engine.query(caller, method, params)),
    // The database outlives its nodes.
    close: async () => {},
  };
}

function outcomesOf({ outcomes, appended }: BatchResult): string {
  const runs = appended.map(({ stream, offset, events }) => `${stream}@${offset}+${events.length}`);
  return `${outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.error.code)).join(",")} ${runs.join(",")}`;
}

function sqliteError(message: string, errcode: number): Error {
  return Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode });
}

function unavailable(message: string, errcode: number): ProtocolError {
  return new ProtocolError("store_unavailable", "the store did not answer", {
    retryAfter: retryAfterMs,
    cause: sqliteError(message, errcode),
  });
}
