/**
 * The statements of one transaction: those whose answer is waited for, and those that are only sent.
 *
 * After a statement has failed, PostgreSQL refuses all others until it is back at a savepoint. A handler that
 * caught the failure and went on would take the rest of the batch with it, so its operation fails here, at its
 * end. What was only sent is looked at before the commit. Life cycle: `begin` → for each operation `beginOperation`,
 * statements, then `endOperation`, or `undoOperation` where it failed → `settled` → commit or rollback. Invariant: an
 * operation has its savepoint before its first statement, and one without a statement costs nothing.
 */
import type pg from "pg";
import type { PostgresConnection } from "./connection.ts";

export interface Statements {
  begin(): void;
  run(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  /** Sent now, its answer not waited for: a failure is told by {@link Statements.settled}. */
  send(text: string, values?: readonly unknown[]): void;
  beginOperation(): void;
  /** Throws what failed in the operation, also where its handler caught it. */
  endOperation(): void;
  undoOperation(): void;
  /** Waits for everything sent; rejects with the first failure of it. */
  settled(): Promise<void>;
}

export function createStatements(connection: Pick<PostgresConnection, "query">): Statements {
  let sent: Promise<unknown>[] = [];
  let failedSending: { readonly error: unknown } | undefined;
  let failedInOperation: { readonly error: unknown } | undefined;
  /** Of the operation under way: none, one that its first statement is to make, or made. */
  let savepoint: "none" | "due" | "made" = "none";

  const post = (text: string, values?: readonly unknown[]): void => {
    sent.push(
      connection.query(text, values).catch((error: unknown) => {
        failedSending ??= { error };
      }),
    );
  };
  const makeSavepoint = (): void => {
    if (savepoint !== "due") return;
    savepoint = "made";
    post("savepoint operation");
  };

  return {
    begin() {
      sent = [];
      failedSending = undefined;
      failedInOperation = undefined;
      savepoint = "none";
    },
    async run(text, values) {
      makeSavepoint();
      try {
        return await connection.query(text, values);
      } catch (error) {
        failedInOperation ??= { error };
        throw error;
      }
    },
    send(text, values) {
      makeSavepoint();
      post(text, values);
    },
    beginOperation() {
      savepoint = "due";
    },
    endOperation() {
      if (failedInOperation !== undefined) throw failedInOperation.error;
      if (savepoint === "made") post("release savepoint operation");
      savepoint = "none";
    },
    undoOperation() {
      failedInOperation = undefined;
      if (savepoint === "made") {
        post("rollback to savepoint operation");
        post("release savepoint operation");
      }
      savepoint = "none";
    },
    async settled() {
      await Promise.all(sent);
      sent = [];
      if (failedSending !== undefined) throw failedSending.error;
    },
  };
}
