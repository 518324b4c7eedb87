/**
 * PostgreSQL ≥ 15 as the rooms see it: the {@link Store} port over one connection that writes and a few that read.
 *
 * Life cycle: open (connect, look at the server, migrate under a lock; a failure is a `StartError` with one
 * sentence) → calls → close. A connection that is lost comes back with the next call; a call on a database that
 * does not answer fails within {@link queryMsMax} as `store_unavailable`, with its cause. Apps' handlers run in
 * this thread, since the driver waits without holding it. Nothing here opens a breaker: that is admission's.
 */
import type { Clock, Random } from "@holdfast/protocol";
import { uuidv7 } from "@holdfast/protocol";
import { StartError } from "../../options.ts";
import type { Plugin } from "../../plugin.ts";
import type { Dialect } from "../dialect.ts";
import { createEngine } from "../engine.ts";
import { inProcessStore } from "../inProcess.ts";
import { NewerStore } from "../migrate.ts";
import type { Store } from "../port.ts";
import { type PostgresAddress, postgresAddress } from "./address.ts";
import { commitBatch } from "./batches.ts";
import { createConnection, type PostgresConnection } from "./connection.ts";
import { openPostgres, statementMsMax } from "./dialect.ts";
import { ForeignMigrations, migrateDatabase } from "./migrating.ts";
import { shareReaders } from "./readers.ts";

/** A node's connections: these, one that writes, and one of the bus. */
const readersCount = 4;
const connectMsMax = 5_000;
/** Above the server's own limit, which speaks first where the server lives. */
const queryMsMax = statementMsMax + 2_000;
const versionMin = 150_000;

export interface PostgresStoreSettings {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Modules that export `plugin`, as URLs. */
  readonly plugins: readonly URL[];
  readonly clock: Clock;
  readonly random: Random;
  /** Shown in `pg_stat_activity`; names this process among the writers together with chance. */
  readonly name: string;
  /** Another node brings the database to its schema: called once, before it is waited for. */
  readonly onMigrationWait?: () => void;
}

/** Opens the store, and brings its tables to this program's. Throws `StartError`. */
export async function openPostgresStore(settings: PostgresStoreSettings): Promise<Store> {
  const address = postgresAddress(settings.url);
  const plugins = await Promise.all(
    settings.plugins.map(async ({ href }) => ((await import(href)) as { plugin: Plugin }).plugin),
  );
  const connect = (): PostgresConnection =>
    createConnection({ url: settings.url, name: settings.name, clock: settings.clock, connectMsMax, queryMsMax });
  const first = connect();
  try {
    await prepare(first, address, plugins, settings.onMigrationWait);
  } catch (error) {
    await first.close();
    throw error instanceof StartError ? error : startError(address, error);
  }
  return storeOver(settings, plugins, [first, ...Array.from({ length: readersCount }, connect)]);
}

function storeOver(
  { clock, random, name }: PostgresStoreSettings,
  plugins: readonly Plugin[],
  connections: readonly PostgresConnection[],
): Store {
  const newId = (): string => uuidv7(clock.now(), random.bytes(10));
  const writer = `${name} ${newId()}`;
  const parts = connections.map((connection) => {
    const dialect: Dialect = openPostgres({ connection, clock, writer, newBatch: newId });
    const engine = createEngine({ dialect, plugins, clock, random });
    return { dialect, engine };
  });
  const [first, ...others] = parts.map(({ dialect, engine }) => ({
    ...inProcessStore({ ...engine, commit: (batch) => commitBatch({ engine, newRef: newId }, batch) }, dialect),
  }));
  if (first === undefined) throw new TypeError("a store needs a connection that writes");
  return {
    ...shareReaders(others, clock),
    commit: first.commit,
    close: async () => {
      for (const part of [...others, first]) await part.close();
    },
  };
}

async function prepare(
  connection: PostgresConnection,
  address: PostgresAddress,
  plugins: readonly Plugin[],
  onWait: () => void = () => {},
): Promise<void> {
  await connection.connect();
  const { rows } = await connection.query(
    "select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding",
  );
  const [{ version, encoding }] = rows as [{ version: number; encoding: string }];
  if (version < versionMin)
    throw new StartError(
      `${address.inWords} is PostgreSQL ${Math.floor(version / 10_000)}; Holdfast needs 15 or newer: upgrade it, or name another with --database-url.`,
    );
  if (encoding !== "UTF8")
    throw new StartError(
      `${address.inWords} has the encoding ${encoding}; Holdfast needs UTF8: create the database with it, or name another with --database-url.`,
    );
  await migrateDatabase({ url: address.url, plugins, onWait });
}

function startError({ inWords }: PostgresAddress, error: unknown): StartError {
  const { code } = error as { code?: unknown };
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof NewerStore || error instanceof ForeignMigrations)
    return new StartError(`The database ${inWords} cannot be used: ${reason}.`, { cause: error });
  const advice = advices.find(([codes]) => codes.some((one) => one === code))?.[1] ?? unreachableAdvice;
  return new StartError(`The database ${inWords} cannot be used (${reason}): ${advice}.`, { cause: error });
}

const unreachableAdvice = "check that it runs and can be reached, or name another with --database-url";
/** What to do, by SQLSTATE. */
const advices: readonly (readonly [readonly string[], string])[] = [
  [["28P01", "28000"], "check user and password in --database-url"],
  [["3D000"], "create the database, or name another with --database-url"],
  [
    ["42501"],
    "give the user the right to create tables there and to use those that are there, or name another with --database-url",
  ],
  [
    ["55P03"],
    "a transaction of somebody else holds a table that must be changed (pg_stat_activity shows it), and nothing was changed; end it or wait for its end, then start again",
  ],
  [
    ["25006", "0A000"],
    "it takes no writes, as a replica or a read-only database; name the one that does with --database-url",
  ],
  // A table or column that is there already, or is missing: half of a store, or something else's tables.
  [
    ["42P07", "42701", "42P01", "42703", "42704", "42710"],
    "it holds a part of a store or tables of something else, and was left as it is; restore a backup of it, or name an empty database with --database-url",
  ],
];
