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
import type { Store } from "../port.ts";
import { type PostgresAddress, postgresAddress } from "./address.ts";
import { commitBatch } from "./batches.ts";
import { createConnection, type PostgresConnection } from "./connection.ts";
import { openPostgres, statementMsMax } from "./dialect.ts";
import { migrateDatabase } from "./migrating.ts";
import { shareReaders } from "./readers.ts";
import { startError } from "./startError.ts";

/** A node's connections: these, one that writes, and one of the bus. */
const readersCount = 4;
const connectMsMax = 5_000;
/** For what is under way when the store closes: a stop has ten seconds in all (CL-9). */
const closeMsMax = 1_500;
/** Above the server's own limit, which speaks first where the server lives. */
const queryMsMax = statementMsMax + 2_000;
const versionMin = 150_000;
/** A request that is repeated on another node may be made so much ahead of that one's clock (RQ-1), less a margin. */
const clockDifferenceMsMax = 60_000;

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
  /** The database's clock is another's than ours by more than {@link clockDifferenceMsMax}; `aheadMs`: ours before its. */
  readonly onClockDifference?: (aheadMs: number) => void;
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
    await prepare(first, address, plugins, settings);
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
      // What is under way has its turn before the end; at a database that hangs it has none.
      const late = clock.after(closeMsMax, () => {
        for (const connection of connections) void connection.close();
      });
      await Promise.allSettled([...others, first].map((part) => part.close()));
      clock.cancel(late);
    },
  };
}

async function prepare(
  connection: PostgresConnection,
  address: PostgresAddress,
  plugins: readonly Plugin[],
  { clock, onMigrationWait = () => {}, onClockDifference }: PostgresStoreSettings,
): Promise<void> {
  await connection.connect();
  const { rows } = await connection.query(
    `select current_setting('server_version_num')::int as version, current_setting('server_encoding') as encoding,
      (extract(epoch from clock_timestamp()) * 1000)::bigint as now`,
  );
  const [{ version, encoding, now }] = rows as [{ version: number; encoding: string; now: number }];
  const aheadMs = clock.now() - now;
  if (Math.abs(aheadMs) > clockDifferenceMsMax) onClockDifference?.(aheadMs);
  if (version < versionMin)
    throw new StartError(
      `${address.inWords} is PostgreSQL ${Math.floor(version / 10_000)}; Holdfast needs 15 or newer: upgrade it, or name another with --database-url.`,
    );
  if (encoding !== "UTF8")
    throw new StartError(
      `${address.inWords} has the encoding ${encoding}; Holdfast needs UTF8: create the database with it, or name another with --database-url.`,
    );
  await migrateDatabase({ url: address.url, plugins, onWait: onMigrationWait });
}
