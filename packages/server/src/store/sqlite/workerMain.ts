/**
 * A worker of the embedded store: opens the database, then does one call after the other.
 *
 * A thin shell around the engine. Two of them run: the writer (locks the folder, migrates, commits) and the
 * reader (catch-up, snapshots, read methods), so that a long read never delays a commit.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { Plugin } from "../../plugin.ts";
import type { Dialect } from "../dialect.ts";
import { createEngine, type Engine } from "../engine.ts";
import type { EncodedRun, Fault } from "../port.ts";
import { openSqlite } from "./dialect.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import type { Call, CallMessage, WorkerMessage, WorkerSettings } from "./messages.ts";
import { migrateWhole, prepareMigration, storeFile } from "./migrating.ts";
import { toPortable } from "./portableError.ts";
import { createReopening, type Reopening } from "./reopening.ts";

const settings = workerData as WorkerSettings;
const say = (message: WorkerMessage, transfer: readonly ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, [...transfer]);

try {
  const opened = await open();
  let last: Promise<void> = Promise.resolve();
  parentPort?.on("message", (message: CallMessage) => {
    // One call at a time: a connection has one transaction.
    last = last.then(() => handle(opened, message));
  });
  say({ kind: "ready" });
} catch (error) {
  say({ kind: "failed", error: toPortable(error) });
}

interface Database {
  readonly engine: Engine;
  readonly dialect: Dialect;
}

interface Opened {
  readonly database: Reopening<Database>;
  readonly lock: FolderLock | undefined;
}

async function open(): Promise<Opened> {
  const lock = settings.role === "writer" ? lockFolder(settings.folder) : undefined;
  const plugins = await Promise.all(
    settings.plugins.map(async (url) => ((await import(url)) as { plugin: Plugin }).plugin),
  );
  if (settings.waits === true && parentPort !== null) await once(parentPort, "message");
  const openDatabase = (): Database => {
    const dialect = openSqlite({ file: join(settings.folder, storeFile), readOnly: settings.role === "reader" });
    const clock = { now: Date.now };
    const random = { bytes: (count: number) => randomBytes(count) };
    return { dialect, engine: createEngine({ dialect, plugins, clock, random }) };
  };
  const database = createReopening(openDatabase, ({ dialect }) => void dialect.close().catch(() => {}));
  if (settings.role === "writer") {
    prepareMigration(settings.folder, plugins);
    await migrateWhole(database.use().dialect, plugins);
  }
  return { database, lock };
}

async function handle(opened: Opened, { id, call }: CallMessage): Promise<void> {
  try {
    const value = await perform(opened, call);
    say({ kind: "answer", id, value }, call.name === "read" ? buffersOf(value as EncodedRun) : []);
  } catch (error) {
    opened.database.failed(error);
    say({ kind: "error", id, error: toPortable(error) });
  }
}

async function perform({ database, lock }: Opened, call: Call): Promise<unknown> {
  if (call.name === "close") {
    await database.last()?.dialect.close();
    lock?.release();
    return null;
  }
  const { engine, dialect } = database.use();
  switch (call.name) {
    case "commit":
      return portableFaults(await engine.commit(call.batch));
    case "position":
      return dialect.position(call.workspace, call.stream);
    case "positions":
      return dialect.positions(call.streams);
    case "snapshot":
      return engine.snapshot(call.workspace, call.stream);
    case "read":
      return engine.readEncoded(call.workspace, call.stream, call.offset, call.eventsMax, call.bytesMax, call.rollUp);
    case "query":
      return portableFaults(await engine.query(call.caller, call.method, call.params));
  }
}

function portableFaults<Result extends { faults: readonly Fault[] }>(result: Result): Result {
  return result.faults.length === 0
    ? result
    : { ...result, faults: result.faults.map((fault) => ({ ...fault, error: toPortable(fault.error) })) };
}

/** They change hands without a copy. */
function buffersOf({ pieces }: EncodedRun): readonly ArrayBuffer[] {
  return [...new Set(pieces.map(({ bytes }) => bytes.buffer))];
}
