/**
 * Kysely with connections of its own, for the time of the migrations.
 *
 * They want transactions and a lock of the session, which the engine's connection does not give. Kysely's
 * migrator takes a lock in the database first, so that of several nodes that start at once one migrates.
 */
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { SomeTables } from "../../plugin.ts";

const connectMsMax = 5_000;
/** A large table may take its time; a lock that somebody else holds must not take for ever. */
const statementMsMax = 10 * 60_000;

/** To be destroyed by the caller. */
export function migratingKysely(url: string): Kysely<SomeTables> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "holdfast migration",
    max: 1,
    connectionTimeoutMillis: connectMsMax,
    statement_timeout: statementMsMax,
  });
  // The statement that was under way hears of it too; unheard here it would end the process.
  pool.on("error", () => {});
  return new Kysely<SomeTables>({ dialect: new PostgresDialect({ pool }) });
}
