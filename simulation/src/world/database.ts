/**
 * The one database of a simulated deployment: the production engine over SQLite in memory.
 *
 * One database serves all runs of a worker, one after the other: the real migrations make it, and `close` empties it
 * for the next, since a schema and its statements cost more than many a run. Images are copies of all rows, taken and put back between two commits: an old backup, a replica that
 * was behind. Invariant: everything in it happens in the turn of the loop in which it is asked; how long that takes
 * in virtual time, and whether it works, is `nodeStore.ts`'s.
 */

import type { Clock, Random } from "@holdfast/protocol";
import { CompiledQuery, type Kysely } from "kysely";
import type { Dialect } from "../../../packages/server/src/store/dialect.ts";
import { createEngine, type Engine } from "../../../packages/server/src/store/engine.ts";
import { migrate } from "../../../packages/server/src/store/migrate.ts";
import { openSqlite } from "../../../packages/server/src/store/sqlite/dialect.ts";
import { app } from "./app.ts";

type Rows = readonly Readonly<Record<string, unknown>>[];

/** All rows of all tables, at one moment. */
export type Image = ReadonlyMap<string, Rows>;

export interface Database {
  readonly dialect: Dialect;
  /** An engine of one node's: it shares the database, and nothing else. */
  engine(clock: Pick<Clock, "now">, random: Pick<Random, "bytes">): Engine;
  /** Where each stream ends, by workspace and name. */
  heads(): Promise<ReadonlyMap<string, { readonly epoch: string; readonly head: number; readonly trimmed: number }>>;
  /** Which events there are, by place: for what retention removed between others. */
  offsets(): Promise<ReadonlyMap<string, ReadonlySet<number>>>;
  image(): Promise<Image>;
  /** Puts it back; each stream's epoch becomes a new one that begins with `prefix`, or stays where there is none. */
  restore(image: Image, prefix: string | undefined): Promise<void>;
  close(): Promise<void>;
}

interface Opened {
  readonly dialect: Dialect;
  readonly tables: readonly string[];
}

/** Empty, and given back by whoever had it. */
const free: Opened[] = [];

export async function openDatabase(): Promise<Database> {
  const opened = free.pop() ?? (await makeDatabase());
  const { dialect, tables } = opened;
  const db = dialect.kysely;
  return {
    dialect,
    engine: (clock, random) => createEngine({ dialect, plugins: [app], clock, random }),
    async heads() {
      const rows = await run(db, "select workspace, name, epoch, head, trimmed from streams");
      return new Map(
        rows.map(({ workspace, name, epoch, head, trimmed }) => [
          `${String(workspace)}\n${String(name)}`,
          { epoch: String(epoch), head: Number(head), trimmed: Number(trimmed) },
        ]),
      );
    },
    async offsets() {
      const rows = await run(
        db,
        'select s.workspace, s.name, e."offset" from events e join streams s on s.id = e.stream order by e.stream',
      );
      const places = new Map<string, Set<number>>();
      for (const { workspace, name, offset } of rows) {
        const place = `${String(workspace)}\n${String(name)}`;
        const known = places.get(place) ?? new Set();
        places.set(place, known.add(Number(offset)));
      }
      return places;
    },
    async image() {
      const image = new Map<string, Rows>();
      for (const table of tables) image.set(table, await run(db, `select * from "${table}"`));
      return image;
    },
    async restore(image, prefix) {
      await dialect.begin(true);
      for (const table of tables) {
        await run(db, `delete from "${table}"`);
        for (const row of image.get(table) ?? []) {
          const names = Object.keys(row);
          const places = names.map(() => "?").join(", ");
          const columns = names.map((name) => `"${name}"`).join(", ");
          await db.executeQuery(
            CompiledQuery.raw(`insert into "${table}" (${columns}) values (${places})`, Object.values(row)),
          );
        }
      }
      if (prefix !== undefined)
        await db.executeQuery(CompiledQuery.raw("update streams set epoch = ? || id, acknowledged = 0", [prefix]));
      await dialect.commit();
    },
    async close() {
      // A run that failed may have left a transaction open.
      await dialect.rollback();
      for (const table of tables) await run(db, `delete from "${table}"`);
      free.push(opened);
    },
  };
}

async function makeDatabase(): Promise<Opened> {
  const dialect = openSqlite({ file: ":memory:", readOnly: false });
  await migrate(dialect.kysely, [app]);
  const rows = await run(dialect.kysely, "select name from sqlite_master where type = 'table' order by rowid");
  const tables = rows.map(({ name }) => String(name)).filter((name) => !/^(sqlite_|kysely_)/.test(name));
  return { dialect, tables };
}

async function run(db: Kysely<unknown>, text: string): Promise<Rows> {
  const { rows } = await db.executeQuery(CompiledQuery.raw(text) as CompiledQuery<Readonly<Record<string, unknown>>>);
  return rows;
}
