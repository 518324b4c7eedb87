/**
 * The server's own tables: streams, their events, stored answers, producers' records.
 *
 * One schema for SQLite and PostgreSQL: text, integers, JSON as text. Event data is text since `jsonb`
 * refuses what JSON allows. Invariant: `streams.head` is the offset of the stream's last event.
 */
import { type Generated, PostgresAdapter, sql } from "kysely";
import type { Migration } from "kysely/migration";

export interface StreamsTable {
  id: Generated<number>;
  workspace: string;
  name: string;
  epoch: string;
  head: number;
  /** Everything up to this offset was removed by retention (ST-10). */
  trimmed: number;
  /** Offset of the last event that the inbox's agent acknowledged (OP-8); 0 for other streams. */
  acknowledged: number;
  /** Data of its events that are there, as JSON in UTF-8: counted up by the append, down by retention. */
  bytes: Generated<number>;
  /** Events that retention removed, wherever they stood. */
  removed: Generated<number>;
}

export interface EventsTable {
  stream: number;
  offset: number;
  at: number;
  event: string;
  keyframe: string | null;
  data: string;
}

/** RQ-1: the final answers, under (workspace, principal, id). */
export interface RequestsTable {
  workspace: string;
  principal: string;
  id: string;
  hash: string;
  /** JSON of `{ result }` or `{ error }`. */
  answer: string;
  at: number;
}

/** PB-2: how far each producer of each stream is decided, and what was rejected. */
export interface ProducersTable {
  workspace: string;
  stream: string;
  producer: string;
  sequence: number;
  /** JSON of `[{ sequence, error }]`, the newest 1,000. */
  rejected: string;
  at: number;
}

/** AD-2: what a probe of the store writes, one row for all nodes. */
export interface ProbesTable {
  id: number;
  at: number;
}

export interface StoreTables {
  streams: StreamsTable;
  events: EventsTable;
  requests: RequestsTable;
  producers: ProducersTable;
  probes: ProbesTable;
}

export const storeMigrations: Readonly<Record<string, Migration>> = {
  "store-001-log": {
    async up(db) {
      const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter;
      await db.schema
        .createTable("streams")
        .$call((table) =>
          // An append that finds its stream takes a number all the same, so they must not run out.
          isPostgres
            ? table.addColumn("id", "bigint", (column) => column.generatedByDefaultAsIdentity().primaryKey())
            : table.addColumn("id", "integer", (column) => column.primaryKey()),
        )
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("epoch", "text", (column) => column.notNull())
        .addColumn("head", "bigint", (column) => column.notNull())
        .addColumn("trimmed", "bigint", (column) => column.notNull().defaultTo(0))
        .addColumn("acknowledged", "bigint", (column) => column.notNull())
        .addUniqueConstraint("streams_name", ["workspace", "name"])
        .execute();
      // Raw, for WITHOUT ROWID: the rows lie in the order in which they are read.
      const rowid = isPostgres ? sql`` : sql`without rowid`;
      await sql`create table events (
        stream bigint not null, "offset" bigint not null, at bigint not null,
        event text not null, keyframe text, data text not null,
        primary key (stream, "offset")) ${rowid}`.execute(db);
      // Whether a commit happened whose answer was lost: one row a writer (postgres/lastCommit.ts).
      if (isPostgres)
        await sql`create table store_writers (writer text primary key, batch text, at bigint)`.execute(db);
      await db.schema
        .createTable("requests")
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("principal", "text", (column) => column.notNull())
        .addColumn("id", "text", (column) => column.notNull())
        .addColumn("hash", "text", (column) => column.notNull())
        .addColumn("answer", "text", (column) => column.notNull())
        .addColumn("at", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("requests_key", ["workspace", "principal", "id"])
        .execute();
      await db.schema.createIndex("requests_at").on("requests").column("at").execute();
      await db.schema
        .createTable("producers")
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("stream", "text", (column) => column.notNull())
        .addColumn("producer", "text", (column) => column.notNull())
        .addColumn("sequence", "bigint", (column) => column.notNull())
        .addColumn("rejected", "text", (column) => column.notNull())
        .addColumn("at", "bigint", (column) => column.notNull())
        .addPrimaryKeyConstraint("producers_key", ["workspace", "stream", "producer"])
        .execute();
    },
  },
  "store-002-retention": {
    async up(db) {
      await db.schema
        .alterTable("streams")
        .addColumn("bytes", "bigint", (column) => column.notNull().defaultTo(0))
        .execute();
      await db.schema
        .alterTable("streams")
        .addColumn("removed", "bigint", (column) => column.notNull().defaultTo(0))
        .execute();
      await sql`update streams set bytes =
        coalesce((select sum(octet_length(data)) from events where events.stream = streams.id), 0)`.execute(db);
      // Keyframes are few: the newest of a scope is found without reading what lies between.
      await sql`create index events_keyframes on events (stream, keyframe, "offset") where keyframe is not null`.execute(
        db,
      );
    },
  },
  "store-003-probes": {
    async up(db) {
      await db.schema
        .createTable("probes")
        .addColumn("id", "integer", (column) => column.primaryKey())
        .addColumn("at", "bigint", (column) => column.notNull())
        .execute();
    },
  },
};
