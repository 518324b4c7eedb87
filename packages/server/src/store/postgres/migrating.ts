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
import { migrate, migrationsOf, requireKnown } from "../migrate.ts";

const connectMsMax = 5_000;
/** A large table may take its time, and so may the node that migrates before this one. */
const statementMsMax = 10 * 60_000;
/** On this side: the server, which speaks first, may be gone. */
const answerMsMax = statementMsMax + 5_000;
/**
 * For a lock on a table. Who waits for one keeps all others from the table, so that one forgotten transaction would
 * stop every node that is at work; shorter than what a read of theirs may take in all.
 */
const tableLockMsMax = 3_000;
/** The migrator's own, so that a node which takes it for its session waits for us, and we for it. */
const migrationsLock = "3853314791062309107";

const insufficientPrivilege = "42501";

type Database = Transaction<SomeTables>;

/** The table of migrations is another program's. Its message is a sentence without its end. */
export class ForeignMigrations extends Error {
  override readonly name = "ForeignMigrations";
}

export interface Migrating {
  readonly url: string;
  readonly plugins: readonly Plugin[];
  /** Another node migrates, or holds its lock for another reason: called before it is waited for. */
  readonly onWait: () => void;
}

/** Rejects with `NewerStore`, `ForeignMigrations`, or with what the failing statement said. */
export async function migrateDatabase({ url, plugins, onWait }: Migrating): Promise<void> {
  // No setting of the session: a pooler refuses those that it does not know, and hands the others on to strangers.
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "holdfast migration",
    max: 1,
    connectionTimeoutMillis: connectMsMax,
    query_timeout: answerMsMax,
  });
  // The statement that was under way hears of it too; unheard here it would end the process.
  pool.on("error", () => {});
  const kysely = new Kysely<SomeTables>({ dialect: new LockedDialect({ pool }) });
  try {
    // What the role or the database has for its default is not for us: a role may only read until it is told to write.
    const writing = kysely.transaction().setAccessMode("read write").setIsolationLevel("read committed");
    await writing.execute(async (transaction) => {
      await setLocal(transaction, { statement_timeout: statementMsMax, lock_timeout: 0 });
      await takeLock(transaction, onWait);
      await setLocal(transaction, { lock_timeout: tableLockMsMax });
      const found = await migrationsSchema(transaction);
      if (found !== undefined) requireOurs(await migrationsHad(transaction), plugins);
      await migrate(transaction, plugins, found ?? (await newSchema(transaction)));
    });
  } finally {
    await kysely.destroy();
  }
}

/** @param values ms */
async function setLocal(transaction: Database, values: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, value] of Object.entries(values))
    await sql`set local ${sql.ref(name)} = ${sql.lit(value)}`.execute(transaction);
}

async function takeLock(transaction: Database, onWait: () => void): Promise<void> {
  const lock = sql`${sql.lit(migrationsLock)}::bigint`;
  const { rows } = await sql<{ taken: boolean }>`select pg_try_advisory_xact_lock(${lock}) as taken`.execute(
    transaction,
  );
  if (rows[0]?.taken === true) return;
  onWait();
  await sql`select pg_advisory_xact_lock(${lock})`.execute(transaction);
}

/**
 * Where the table of migrations is, as a statement without a schema finds it; undefined where it finds none. The
 * migrator is told, since it takes a table of that name in any schema for its own.
 */
async function migrationsSchema(transaction: Database): Promise<string | undefined> {
  const { rows } = await sql<{ schema: string }>`select nspname as schema
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = to_regclass('kysely_migration')`.execute(transaction);
  return rows[0]?.schema;
}

async function migrationsHad(transaction: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by timestamp, name`.execute(
    transaction,
  );
  return rows.map(({ name }) => name);
}

/** Another program with the same migrator is no newer Holdfast: that has all that we had, and more. */
function requireOurs(had: readonly string[], plugins: readonly Plugin[]): void {
  const known = migrationsOf(plugins);
  if (had.length > 0 && !had.some((name) => known[name] !== undefined))
    throw new ForeignMigrations(
      `its table kysely_migration is another program's (it has "${had[0]}"); name a database of its own with --database-url, or give its user a schema of its own as search_path`,
    );
  requireKnown(had, plugins);
}

/** Where an empty database gets its tables. Looked at here, since the migrator hides what refused it its own. */
async function newSchema(transaction: Database): Promise<string> {
  const { rows } = await sql<{ schema: string | null; may: boolean | null }>`
    select current_schema() as schema, has_schema_privilege(current_schema(), 'create') as may`.execute(transaction);
  const [{ schema, may } = { schema: null, may: false }] = rows;
  if (schema === null) throw refused("none of the schemas of search_path is there, or this user may use none of them");
  if (may !== true) throw refused(`permission denied for schema ${schema}`);
  return schema;
}

function refused(message: string): Error {
  return Object.assign(new Error(message), { code: insufficientPrivilege });
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
