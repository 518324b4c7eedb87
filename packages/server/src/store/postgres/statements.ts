/**
 * The statements of one transaction: those whose answer is waited for, and those that are only sent.
 *
 * After a statement has failed, PostgreSQL refuses all others until it is back at a savepoint. A handler that
 * caught the failure and went on would take the rest of the batch with it, so its operation fails here, at its
 * end. What was only sent is looked at before the commit. Life cycle: `begin` → statements, `endOperation` after
 * each operation that meant to succeed, `undone` after each that was undone → `settled` → commit or rollback.
 */
import type pg from "pg";
import type { PostgresConnection } from "./connection.ts";

export interface Statements {
  begin(): void;
  run(text: string, values?: readonly unknown[]): Promise<pg.QueryResult>;
  /** Sent now, its answer not waited for: a failure is told by {@link Statements.settled}. */
  send(text: string, values?: readonly unknown[]): void;
  /** Throws what failed in the operation, also where its handler caught it. */
  endOperation(): void;
  undone(): void;
  /** Waits for everything sent; rejects with the first failure of it. */
  settled(): Promise<void>;
}

export function createStatements(connection: Pick<PostgresConnection, "query">): Statements {
  let sent: Promise<unknown>[] = [];
  let failedSending: { readonly error: unknown } | undefined;
  let failedInOperation: { readonly error: unknown } | undefined;

  return {
    begin() {
      sent = [];
      failedSending = undefined;
      failedInOperation = undefined;
    },
    async run(text, values) {
      try {
        return await connection.query(text, values);
      } catch (error) {
        failedInOperation ??= { error };
        throw error;
      }
    },
    send(text, values) {
      sent.push(
        connection.query(text, values).catch((error: unknown) => {
          failedSending ??= { error };
        }),
      );
    },
    endOperation() {
      if (failedInOperation !== undefined) throw failedInOperation.error;
    },
    undone() {
      failedInOperation = undefined;
    },
    async settled() {
      await Promise.all(sent);
      sent = [];
      if (failedSending !== undefined) throw failedSending.error;
    },
  };
}
