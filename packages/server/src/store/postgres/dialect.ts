/**
 * PostgreSQL as a {@link Dialect}: one connection, one transaction at a time.
 *
 * A batch begins by taking the writers' lock, so that the batches of all nodes take turns, and an app's handler,
 * which reads and then writes, needs no lock of its own. Savepoints are sent without waiting for their answers:
 * a batch waits for what it reads, and for its commit. Invariants: every statement has a deadline on the server
 * and on this side; a read is one snapshot; nothing is told of a commit before it is known to have happened.
 */
import type { Clock } from "@holdfast/protocol";
import type { Dialect } from "../dialect.ts";
import type { PostgresConnection } from "./connection.ts";
import { ConnectionLost, troubleOf } from "./errors.ts";
import { kyselyOver } from "./kysely.ts";
import { createLastCommit } from "./lastCommit.ts";
import { append, positions, read, readPieces } from "./log.ts";
import { createStatements } from "./statements.ts";

/** On the server; shorter than this side's deadline, so that it is the server that ends the statement. */
export const statementMsMax = 4_000;
/** How long a node that stops in the middle of a batch can hold the others up. */
const idleInTransactionMsMax = 5_000;
/** How long a batch waits for those of other nodes. */
const writersLockMsMax = 4_000;

const knownStreamsMax = 20_000;

/** The lock of one schema's writers: "hold", and the schema. */
const writersLock = "1752132708, hashtext(current_schema())";
const bounded = `set local statement_timeout = ${statementMsMax};
  set local idle_in_transaction_session_timeout = ${idleInTransactionMsMax};
  set local lock_timeout = ${writersLockMsMax}`;
/** An answered commit must survive a power cut, whatever the role's default is. */
const durable = `select set_config('synchronous_commit', 'on', true)
  where current_setting('synchronous_commit') = 'off'`;
const beginWrite = `begin isolation level read committed read write; ${bounded}; ${durable};
  select pg_advisory_xact_lock(${writersLock})`;
const beginRead = `begin isolation level repeatable read read only; ${bounded}`;

const insertStream = `insert into streams (workspace, name, epoch, head, acknowledged) values ($1, $2, $3, 0, 0)
  on conflict (workspace, name) do nothing`;
const deleteEvents = `delete from events using streams
  where streams.workspace = $1 and streams.name = $2 and events.stream = streams.id and events."offset" <= $3`;
const raiseTrimmed = `update streams set trimmed = greatest(trimmed, least($3::bigint, head))
  where workspace = $1 and name = $2`;
const raiseAcknowledged = `update streams set acknowledged = greatest(acknowledged, $4::bigint)
  where workspace = $1 and name = $2 and epoch = $3 and head >= $4::bigint`;
const renew = `update streams set epoch = $4, acknowledged = 0 where workspace = $1 and name = $2 and epoch = $3`;
const selectBytes = "select pg_database_size(current_database()) as bytes";

export interface PostgresDialectSettings {
  readonly connection: PostgresConnection;
  readonly clock: Clock;
  /** Names this process among the writers. */
  readonly writer: string;
  /** A name that no other batch has. */
  readonly newBatch: () => string;
}

export function openPostgres({ connection, clock, writer, newBatch }: PostgresDialectSettings): Dialect {
  const statements = createStatements(connection);
  const { run, send } = statements;
  const lastCommit = createLastCommit({ connection, clock, beginWrite });
  let inTransaction = false;
  /** Streams that are committed, so that nobody needs to make them; not for longer than the connection. */
  const known = new Set<string>();
  let made: string[] = [];
  let madeBefore = 0;
  connection.onLost(() => known.clear());

  /**
   * Outside a transaction a read may open the connection, within one that would read somewhere else; and it gets one of
   * its own there, sent with it, for its deadline on the server: a statement that waits there for a lock outlives its
   * connection, and each that came after it would take one more of the server's.
   */
  const look: typeof run = async (text, values) => {
    if (inTransaction) return run(text, values);
    await connection.connect();
    const [begun, found, ended] = await Promise.allSettled([
      connection.query(beginRead),
      connection.query(text, values),
      connection.query("rollback"),
    ]);
    if (begun.status === "rejected") throw begun.reason;
    if (found.status === "rejected") throw found.reason;
    if (ended.status === "rejected") throw ended.reason;
    return found.value;
  };

  return {
    kysely: kyselyOver(run),
    begin: async (write) => {
      await connection.connect();
      statements.begin();
      inTransaction = true;
      made = [];
      try {
        await run(write ? beginWrite : beginRead);
      } catch (error) {
        // Half begun is no state to go on from, and nothing is lost with the connection.
        connection.drop("a transaction could not begin");
        inTransaction = false;
        // No operation has had its turn: whatever it was, it is the database that takes none (AD-2). A lock that was
        // waited for too long, a replica that answers in the primary's place.
        throw troubleOf(error) === "aborted" ? error : new ConnectionLost(reasonOf(error), { cause: error });
      }
    },
    commit: async () => {
      await statements.settled();
      await lastCommit.commit(writer, newBatch());
      inTransaction = false;
      if (known.size + made.length > knownStreamsMax) known.clear();
      for (const place of made) known.add(place);
    },
    rollback: async () => {
      inTransaction = false;
      if (!connection.isOpen) return;
      await connection.query("rollback").catch(() => connection.drop("a rollback failed"));
    },
    savepoint: async () => {
      madeBefore = made.length;
      statements.beginOperation();
    },
    release: async () => statements.endOperation(),
    rollbackToSavepoint: async () => {
      made.length = madeBefore;
      statements.undoOperation();
    },
    append: async (events, newEpoch) => {
      const appended = await append(run, events, newEpoch);
      for (const { workspace, stream } of appended) made.push(placeOf(workspace, stream));
      return appended;
    },
    open: async (workspace, stream, newEpoch) => {
      const place = placeOf(workspace, stream);
      if (known.has(place)) return;
      made.push(place);
      send(insertStream, [workspace, stream, newEpoch()]);
    },
    position: async (workspace, stream) => (await positions(look, [{ workspace, stream }]))[0] ?? null,
    positions: (streams) => positions(look, streams),
    read: (workspace, stream, offset, eventsMax, bytesMax) =>
      read(run, { workspace, stream }, offset, eventsMax, bytesMax),
    readPieces: (workspace, stream, offset, bounds) => readPieces(run, { workspace, stream }, offset, bounds),
    trim: async (workspace, stream, through) => {
      await run(deleteEvents, [workspace, stream, through]);
      await run(raiseTrimmed, [workspace, stream, through]);
    },
    diskBytes: async () => ((await look(selectBytes)).rows[0] as { bytes: number }).bytes,
    acknowledge: async (workspace, stream, epoch, offset) => {
      await run(raiseAcknowledged, [workspace, stream, epoch, offset]);
    },
    renewEpoch: async (workspace, stream, from, to) => {
      await run(renew, [workspace, stream, from, to]);
    },
    isFatal: (error) => troubleOf(error) !== "statement",
    close: () => connection.close(),
  };
}

const placeOf = (workspace: string, stream: string): string => `${workspace}\n${stream}`;

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
