/**
 * Commits of which it is known whether they happened, also where the answer was lost.
 *
 * Each batch writes its own name into its writer's row, in its own transaction. Life cycle of a commit: name and
 * commit are sent → the answer comes: done → or the connection is lost before it: unknown → on a new connection
 * the writers' lock is taken, which waits until the first attempt has ended, however it ends → the row has the
 * batch's name: it happened, and what it answered stands; else it did not, and the batch may run again. Invariant:
 * a row is looked at only under the lock: read without it, it would show nothing while the first attempt is
 * still under way. Where no connection comes in time, it stays unknown, and who repeats its keys finds out.
 */
import type { Clock } from "@holdfast/protocol";
import type { PostgresConnection } from "./connection.ts";
import { ConnectionLost, TransactionAborted, troubleOf } from "./errors.ts";

/** How long an unknown commit is asked after. */
const askMsMax = 8_000;
const askEveryMs = 200;

const writeName = `insert into store_writers (writer, batch, at) values ($1, $2, $3)
  on conflict (writer) do update set batch = excluded.batch, at = excluded.at`;
const readName = "select batch from store_writers where writer = $1";

export interface LastCommitParts {
  readonly connection: PostgresConnection;
  readonly clock: Clock;
  /** Begins a transaction that holds the writers' lock. */
  readonly beginWrite: string;
}

export interface LastCommit {
  /** Resolves once the batch is durable. Rejects with `TransactionAborted` where it is undone, else with why it is unknown. */
  commit(writer: string, batch: string): Promise<void>;
}

export function createLastCommit({ connection, clock, beginWrite }: LastCommitParts): LastCommit {
  const wait = (ms: number): Promise<void> => new Promise((done) => clock.after(ms, done));

  /** Whether the row has the batch's name, once the attempt that may have written it is over. */
  const happened = async (writer: string, batch: string): Promise<boolean> => {
    await connection.connect();
    await connection.query(beginWrite);
    const { rows } = await connection.query(readName, [writer]);
    await connection.query("rollback");
    return (rows[0] as { batch?: unknown } | undefined)?.batch === batch;
  };

  const ask = async (writer: string, batch: string, lost: unknown): Promise<void> => {
    const until = clock.monotonic() + askMsMax;
    for (;;) {
      try {
        if (await happened(writer, batch)) return;
        throw new TransactionAborted("the connection was lost before the commit arrived", { cause: lost });
      } catch (error) {
        if (troubleOf(error) !== "unavailable") throw error;
        connection.drop("it failed while a commit was asked after");
        if (clock.monotonic() >= until || connection.isClosed)
          throw new ConnectionLost("the connection was lost during a commit: whether it happened is not known", {
            cause: error,
          });
      }
      await wait(askEveryMs);
    }
  };

  return {
    async commit(writer, batch) {
      const named = connection.query(writeName, [writer, batch, clock.now()]);
      const committed = connection.query("commit");
      const [name, commit] = await Promise.allSettled([named, committed]);
      if (commit.status === "rejected") {
        if (troubleOf(commit.reason) !== "unavailable") throw commit.reason;
        connection.drop("a commit was not answered");
        await ask(writer, batch, commit.reason);
        return;
      }
      // Its own table may not be written, say: the same next time, and it is told as what it is.
      if (name.status === "rejected" && troubleOf(name.reason) === "statement") throw name.reason;
      if (commit.value.command !== "COMMIT")
        throw new TransactionAborted("the batch was undone at its commit", {
          cause: name.status === "rejected" ? name.reason : undefined,
        });
    },
  };
}
