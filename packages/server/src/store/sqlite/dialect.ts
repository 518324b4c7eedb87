/**
 * SQLite through Node's own `node:sqlite`, as a {@link Dialect}.
 *
 * WAL with `synchronous=FULL`: an answered commit survives a power cut. Statements are prepared once and
 * kept, at most {@link statementsMax}. Invariant: one connection, no concurrency; the engine awaits each
 * call. It deliberately does no threading: that is the worker's.
 */
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { Kysely, SqliteDialect } from "kysely";
import type { SomeTables } from "../../plugin.ts";
import type { Dialect, PendingEvent, StoredRows } from "../dialect.ts";
import type { Appended, StoredEvent, StreamName, StreamPosition } from "../port.ts";
import { readPieces } from "./readPieces.ts";

const statementsMax = 500;
const busyTimeoutMs = 5_000;
const walCheckpointPages = 4_000;

/** A file up to this size is looked through at its opening: 0.3 s for 70 MiB. */
const checkedBytesMax = 64 * 1024 * 1024;
const corrupt = 11;
const privateMode = 0o600;
/** SQLite's name for a database without a file. */
const inMemory = ":memory:";

/** SQLite's primary result codes that concern the database, not one statement (AD-2). */
const fatalCodes: ReadonlySet<number> = new Set([5, 6, 7, 8, 10, 11, 13, 14, 15, 26]);

export interface SqliteSettings {
  readonly file: string;
  readonly readOnly: boolean;
}

export function openSqlite(settings: SqliteSettings): Dialect {
  // It has the key that signs sessions, and the folder may be one that others look into. What SQLite puts beside it has
  // the rights of the file itself.
  if (!settings.readOnly && settings.file !== inMemory && !existsSync(settings.file))
    closeSync(openSync(settings.file, "a", privateMode));
  const database = new DatabaseSync(settings.file, { readOnly: settings.readOnly, timeout: busyTimeoutMs });
  if (!settings.readOnly) {
    database.exec(
      `pragma journal_mode=wal; pragma synchronous=full; pragma foreign_keys=on; pragma cell_size_check=on; pragma wal_autocheckpoint=${walCheckpointPages}`,
    );
    requireSound(database, settings.file);
  }
  const prepare = statementCache(database);
  return {
    kysely: new Kysely<SomeTables>({ dialect: new SqliteDialect({ database: asKyselyDatabase(database, prepare) }) }),
    begin: async (write) => void prepare(write ? "begin immediate" : "begin").run(),
    commit: async () => void prepare("commit").run(),
    rollback: async () => {
      if (database.isTransaction) prepare("rollback").run();
    },
    savepoint: async () => void prepare("savepoint operation").run(),
    release: async () => void prepare("release operation").run(),
    rollbackToSavepoint: async () => {
      prepare("rollback to operation").run();
      prepare("release operation").run();
    },
    append: async (events, newEpoch) => append(prepare, events, newEpoch),
    open: async (workspace, stream, newEpoch) => {
      if (prepare(selectStream).get(workspace, stream) === undefined)
        prepare(insertStream).run(workspace, stream, newEpoch());
    },
    position: async (workspace, stream) => position(prepare, workspace, stream),
    positions: async (streams) => positions(prepare, streams),
    read: async (workspace, stream, offset, eventsMax, bytesMax) =>
      read(prepare, workspace, stream, offset, eventsMax, bytesMax),
    readPieces: async (workspace, stream, offset, bounds) => {
      const stored = prepare(selectStream).get(workspace, stream) as StreamRow | undefined;
      return stored === undefined ? undefined : readPieces(prepare, stored, offset, bounds);
    },
    trim: async (workspace, stream, through) => trim(prepare, workspace, stream, through),
    diskBytes: async () => pragma(prepare, "page_count") * pragma(prepare, "page_size"),
    acknowledge: async (workspace, stream, epoch, offset) => {
      prepare(
        "update streams set acknowledged = max(acknowledged, ?) where workspace = ? and name = ? and epoch = ? and head >= ?",
      ).run(offset, workspace, stream, epoch, offset);
    },
    renewEpoch: async (workspace, stream, from, to) => {
      prepare("update streams set epoch = ?, acknowledged = 0 where workspace = ? and name = ? and epoch = ?").run(
        to,
        workspace,
        stream,
        from,
      );
    },
    isFatal: (error) => fatalCodes.has(resultCode(error) & 0xff),
    close: async () => database.close(),
  };
}

/** Throws as SQLite does where a file is damaged: what it would find only when it comes there, and what it would not. */
function requireSound(database: DatabaseSync, file: string): void {
  const bytes = file === ":memory:" ? 0 : statSync(file).size;
  if (bytes > checkedBytesMax) return;
  const found = Object.values(database.prepare("pragma quick_check(1)").get() ?? {})[0];
  if (found !== "ok") throw Object.assign(new Error(String(found)), { errcode: corrupt });
}

type Prepare = (text: string) => StatementSync;

interface StreamRow {
  id: number;
  epoch: string;
  head: number;
  trimmed: number;
  acknowledged: number;
}

const insertStream =
  "insert into streams (workspace, name, epoch, head, acknowledged) values (?, ?, ?, 0, 0) on conflict (workspace, name) do nothing";
const selectStream = "select id, epoch, head, trimmed, acknowledged from streams where workspace = ? and name = ?";
const bumpHead =
  "update streams set head = head + ?, bytes = bytes + ? where workspace = ? and name = ? returning id, epoch, head";
const insertEvent = 'insert into events (stream, "offset", at, event, keyframe, data) values (?, ?, ?, ?, ?, ?)';
const selectEvents =
  'select "offset", at, event, keyframe, data from events where stream = ? and "offset" > ? order by "offset" limit ?';

function append(prepare: Prepare, events: readonly PendingEvent[], newEpoch: () => string): Appended[] {
  return groupByStream(events).map((run) => {
    const [first] = run;
    if (first === undefined) throw new TypeError("a run of no events");
    const bytes = run.reduce((sum, event) => sum + event.bytes, 0);
    const grow = (): StreamRow | undefined =>
      prepare(bumpHead).get(run.length, bytes, first.workspace, first.stream) as StreamRow | undefined;
    // Nearly every run finds its stream: only a new one costs an epoch and an insert.
    const known = grow();
    if (known === undefined) prepare(insertStream).run(first.workspace, first.stream, newEpoch());
    const row = known ?? grow();
    if (row === undefined) throw new TypeError(`no head was given for ${first.stream}`);
    const offset = row.head - run.length + 1;
    const insert = prepare(insertEvent);
    run.forEach((event, index) => {
      insert.run(row.id, offset + index, event.at, event.event, event.keyframe ?? null, event.json);
    });
    return { workspace: first.workspace, stream: first.stream, epoch: row.epoch, offset, events: run.map(toStored) };
  });
}

/** Runs of one stream each, in the order of their names: locks are taken in one order everywhere. */
function groupByStream(events: readonly PendingEvent[]): PendingEvent[][] {
  const runs = new Map<string, PendingEvent[]>();
  for (const event of events) {
    const key = `${event.workspace}\n${event.stream}`;
    const run = runs.get(key);
    if (run === undefined) runs.set(key, [event]);
    else run.push(event);
  }
  return [...runs.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, run]) => run);
}

function toStored(event: PendingEvent): StoredEvent {
  return {
    event: event.event,
    at: event.at,
    json: event.json,
    ...(event.keyframe === undefined ? {} : { keyframe: event.keyframe }),
  };
}

/** A fetch of rows: their data is at most 128 KiB each, so that many are bounded too. */
const fetchRows = 100;

type EventColumns = readonly [offset: number, at: number, event: string, keyframe: string | null, data: string];

function read(
  prepare: Prepare,
  workspace: string,
  stream: string,
  offset: number,
  eventsMax: number,
  bytesMax: number,
): StoredRows {
  const stored = prepare(selectStream).get(workspace, stream) as StreamRow | undefined;
  if (stored === undefined) return { rows: [], head: 0, more: false };
  const statement = prepare(selectEvents);
  // Arrays, a hundred at a time: 0.6 µs an event, where an iterator of objects takes 1.8.
  statement.setReturnArrays(true);
  const rows: (StoredEvent & { offset: number })[] = [];
  let bytes = 0;
  let last = offset;
  while (rows.length < eventsMax && bytes < bytesMax) {
    const limit = Math.min(fetchRows, eventsMax - rows.length);
    const fetched = statement.all(stored.id, last, limit) as unknown as EventColumns[];
    for (const columns of fetched) {
      rows.push(fromColumns(columns));
      bytes += columns[4].length;
      if (bytes >= bytesMax) break;
    }
    last = rows.at(-1)?.offset ?? offset;
    if (fetched.length < limit) break;
  }
  return { rows, head: stored.head, more: rows.length === eventsMax || bytes >= bytesMax };
}

function fromColumns([offset, at, event, keyframe, json]: EventColumns): StoredEvent & { offset: number } {
  return keyframe === null ? { offset, event, at, json } : { offset, event, at, json, keyframe };
}

function trim(prepare: Prepare, workspace: string, stream: string, through: number): void {
  const stored = prepare(selectStream).get(workspace, stream) as StreamRow | undefined;
  if (stored === undefined) return;
  prepare('delete from events where stream = ? and "offset" <= ?').run(stored.id, through);
  prepare("update streams set trimmed = max(trimmed, ?) where id = ?").run(Math.min(through, stored.head), stored.id);
}

function position(prepare: Prepare, workspace: string, stream: string): StreamPosition | null {
  const row = prepare(selectStream).get(workspace, stream) as StreamRow | undefined;
  return row === undefined ? null : toPosition(row);
}

/** In one transaction: a thousand lookups of 2 µs see one moment, and no text with a thousand parameters is kept. */
function positions(prepare: Prepare, streams: readonly StreamName[]): (StreamPosition | null)[] {
  prepare("begin").run();
  try {
    return streams.map(({ workspace, stream }) => position(prepare, workspace, stream));
  } finally {
    prepare("rollback").run();
  }
}

function pragma(prepare: Prepare, name: string): number {
  return Number(Object.values(prepare(`pragma ${name}`).get() ?? {})[0]);
}

function toPosition(row: StreamRow): StreamPosition {
  return { epoch: row.epoch, head: row.head, trimmed: row.trimmed, acknowledged: row.acknowledged };
}

function statementCache(database: DatabaseSync): Prepare {
  const cache = new Map<string, StatementSync>();
  return (text) => {
    const known = cache.get(text);
    if (known !== undefined) return known;
    const statement = database.prepare(text);
    const oldest = cache.size >= statementsMax ? cache.keys().next() : undefined;
    if (oldest !== undefined && !oldest.done) cache.delete(oldest.value);
    cache.set(text, statement);
    return statement;
  };
}

/** Kysely's SQLite dialect speaks to better-sqlite3; this is that face over `node:sqlite`. */
function asKyselyDatabase(database: DatabaseSync, prepare: Prepare) {
  /** Whether a statement gives rows: asking SQLite costs more than many a statement does. */
  const readers = new WeakMap<StatementSync, boolean>();
  const isReader = (statement: StatementSync): boolean => {
    const known = readers.get(statement);
    if (known !== undefined) return known;
    const gives = statement.columns().length > 0;
    readers.set(statement, gives);
    return gives;
  };
  return {
    close: () => database.close(),
    prepare: (text: string) => {
      const statement = prepare(text);
      const values = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[];
      return {
        reader: isReader(statement),
        all: (parameters: readonly unknown[]) => statement.all(...values(parameters)),
        run: (parameters: readonly unknown[]) => statement.run(...values(parameters)),
        iterate: (parameters: readonly unknown[]) =>
          statement.iterate(...values(parameters)) as IterableIterator<unknown>,
      };
    },
  };
}

function resultCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code : 0;
}
