/** Brings a database to this program's schema: Kysely's migrator over the server's and the plugins' tables. */
import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import type { Plugin, SomeTables } from "../plugin.ts";
import { storeMigrations } from "./schema.ts";

/**
 * Runs what is missing, forward only. Throws what the failing migration threw.
 *
 * @param schema where the migrator's own tables are, in a database that has several schemas
 */
export async function migrate(kysely: Kysely<SomeTables>, plugins: readonly Plugin[], schema?: string): Promise<void> {
  const all = migrationsOf(plugins);
  const migrator = new Migrator({
    db: kysely,
    // Plugins' names sort among ours: a plugin that is added later brings older names with it.
    allowUnorderedMigrations: true,
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
    provider: { getMigrations: async () => ({ ...all }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

/** All migrations that this program knows, by name. */
export function migrationsOf(plugins: readonly Plugin[]): Readonly<Record<string, Migration>> {
  return Object.assign({}, storeMigrations, ...plugins.map((plugin) => plugin.migrations));
}

/** The store has had a migration that this program does not know. Its message is a sentence without its end. */
export class NewerStore extends Error {
  override readonly name = "NewerStore";
}

/** Throws `NewerStore` where a newer program wrote the store. */
export function requireKnown(had: readonly string[], plugins: readonly Plugin[]): void {
  const known = migrationsOf(plugins);
  const unknown = had.find((name) => known[name] === undefined);
  if (unknown === undefined) return;
  throw new NewerStore(
    `a newer program has written it (it has "${unknown}", which this one does not know); start that one, or restore an older backup`,
  );
}
