/**
 * What an error of PostgreSQL says about a batch: the one place that reads SQLSTATE.
 *
 * `unavailable`: the database's trouble; nothing can be said of the transaction but that it ended or will (AD-2).
 * `aborted`: this transaction lost against another one; run again, it may pass. `statement`: one statement is
 * wrong, and will be wrong again. What PostgreSQL did not say itself is the connection's, so `unavailable`.
 */
import pg from "pg";

export type Trouble = "unavailable" | "aborted" | "statement";

/** The connection to the database is gone, or did not answer in time. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
  /** As AD-2 reads it: class 08, connection exception. */
  readonly code = "08006";
}

/** The whole transaction is undone, through no fault of its operations. */
export class TransactionAborted extends Error {
  override readonly name = "TransactionAborted";
  readonly code = "40000";
}

const unavailableClasses: ReadonlySet<string> = new Set(["08", "53", "57", "58", "XX"]);
/** Lock not available in time; read-only transaction: a standby answers in the primary's place. */
const unavailableCodes: ReadonlySet<string> = new Set(["55P03", "25006", "25P03"]);

export function troubleOf(error: unknown): Trouble {
  if (error instanceof TransactionAborted) return "aborted";
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) {
    // A handler's own error, thrown by our code, is no word of the database.
    return error instanceof ConnectionLost || isSystemError(error) ? "unavailable" : "statement";
  }
  if (unavailableClasses.has(error.code.slice(0, 2)) || unavailableCodes.has(error.code)) return "unavailable";
  return error.code.startsWith("40") ? "aborted" : "statement";
}

/** An error of the system's calls on the socket: ECONNRESET, EPIPE … */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as { syscall?: unknown }).syscall === "string";
}
