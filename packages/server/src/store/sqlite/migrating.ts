/**
 * Brings the embedded store to this program's schema: looked at first, copied before, changed all or not at all.
 *
 * Life cycle, under the folder's lock: which migrations has it had → one that this program does not know: refused
 * (a newer program wrote it) → some are missing: a copy beside it, named after the first of them → all of them in
 * one transaction. Invariants: a store that is refused is not written to; a failure in the middle leaves the store
 * as it was; at most {@link copiesMax} copies are kept.
 */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Plugin } from "../../plugin.ts";
import type { Dialect } from "../dialect.ts";
import { migrate, migrationsOf, requireKnown } from "../migrate.ts";
import { copyWhole, partialSuffix } from "./wholeCopy.ts";

export const storeFile = "holdfast.db";
const copyPrefix = `${storeFile}.before-`;
/** Copies from before migrations, the newest ones. */
const copiesMax = 2;

/** Throws before anything is written where this program must not open the store. */
export function prepareMigration(folder: string, plugins: readonly Plugin[]): void {
  const file = join(folder, storeFile);
  const had = migrationsHad(file);
  requireKnown(had, plugins);
  const [missing] = Object.keys(migrationsOf(plugins))
    .sort()
    .filter((name) => !had.includes(name));
  if (had.length === 0 || missing === undefined) return;
  const copy = join(folder, `${copyPrefix}${missing}`);
  // From a migration that failed, or was killed: the store is what it was then, and may have grown.
  for (const suffix of ["", partialSuffix]) rmSync(`${copy}${suffix}`, { force: true });
  copyWhole(file, copy);
  removeOldCopies(folder);
}

/** All in one transaction: DDL is transactional in SQLite. Throws what the failing migration threw. */
export async function migrateWhole(dialect: Dialect, plugins: readonly Plugin[]): Promise<void> {
  await dialect.begin(true);
  try {
    await migrate(dialect.kysely, plugins);
    await dialect.commit();
  } catch (error) {
    await dialect.rollback();
    throw error;
  }
}

/** The migrations that a store has had, in their order; none for a new one. */
export function migrationsHad(file: string): readonly string[] {
  if (!existsSync(file) || statSync(file).size === 0) return [];
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    const table = database.prepare("select 1 from sqlite_schema where type = 'table' and name = 'kysely_migration'");
    if (table.get() === undefined) return [];
    const rows = database.prepare("select name from kysely_migration order by timestamp, name").all();
    return rows.map(({ name }) => String(name));
  } finally {
    database.close();
  }
}

function removeOldCopies(folder: string): void {
  const copies = readdirSync(folder)
    .filter((name) => name.startsWith(copyPrefix) && !name.startsWith(`${copyPrefix}restore`))
    .map((name) => join(folder, name))
    .sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs);
  for (const copy of copies.slice(copiesMax)) rmSync(copy, { force: true });
}
