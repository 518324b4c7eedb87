/**
 * Brings a database's tables to this program's: looked at first, changed all or not at all.
 *
 * Life cycle, on a connection of its own and in one transaction: the lock of the migrations, so that of several nodes that
 * start at once one migrates → which ones has it had → one that this program does not know: refused → the missing ones.
 * Invariant: a database that is refused, or whose migration fails, is as it was. It makes no copy: a database has its own
 * backups.
 */
import { Kysely, PostgresAdapter, PostgresDialect, sql, type Transaction } from "kysely";
import pg from "pg";
import type { Plugin, SomeTables } from "../../plugin.ts";
import { migrate, requireKnown } from "../migrate.ts";

const connectMsMax = 5_000;
/** A large table may take its time; a lock that somebody else holds must not take for ever. */
const statementMsMax = 10 * 60_000;
/** The migrator's own, so that a node which takes it for its session waits for us, and we for it. */
const migrationsLock = "3853314791062309107";

const insufficientPrivilege = "42501";

/** Rejects with `NewerStore`, or with what the failing statement said. */
export async function migrateDatabase(url: string, plugins: readonly Plugin[]): Promise<void> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "holdfast migration",
    max: 1,
    connectionTimeoutMillis: connectMsMax,
    statement_timeout: statementMsMax,
  });
  // The statement that was under way hears of it too; unheard here it would end the process.
  pool.on("error", () => {});
  const kysely = new Kysely<SomeTables>({ dialect: new LockedDialect({ pool }) });
  try {
    await kysely.transaction().execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(${sql.lit(migrationsLock)}::bigint)`.execute(transaction);
      requireKnown(await migrationsHad(transaction), plugins);
      await migrate(transaction, plugins);
    });
  } finally {
    await kysely.destroy();
  }
}

async function migrationsHad(transaction: Transaction<SomeTables>): Promise<readonly string[]> {
  const { rows: found } = await sql<{ found: boolean }>`
    select to_regclass('kysely_migration') is not null as found`.execute(transaction);
  if (found[0]?.found !== true) {
    await requireCreate(transaction);
    return [];
  }
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by timestamp, name`.execute(
    transaction,
  );
  return rows.map(({ name }) => name);
}

/** The migrator hides what refused it its own tables. */
async function requireCreate(transaction: Transaction<SomeTables>): Promise<void> {
  const { rows } = await sql<{ schema: string | null; may: boolean | null }>`
    select current_schema() as schema, has_schema_privilege(current_schema(), 'create') as may`.execute(transaction);
  const [{ schema, may } = { schema: null, may: false }] = rows;
  if (may !== true)
    throw Object.assign(new Error(`permission denied for schema ${schema ?? "public"}`), {
      code: insufficientPrivilege,
    });
}

/** Takes no lock of its own: given back in a transaction that has failed, it would hide what that failed of. */
class LockedDialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new LockedAdapter();
  }
}

class LockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}
