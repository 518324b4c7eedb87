/**
 * What the engine needs of a database beyond typed queries: transactions, savepoints, and the log.
 *
 * The few statements that differ between databases stand behind this interface, side by side. One dialect
 * is one connection, used by one engine, one call at a time.
 */
import type { Kysely } from "kysely";
import type { SomeTables } from "../plugin.ts";
import type { Appended, EncodedPiece, StoredEvent, StreamName, StreamPosition } from "./port.ts";

/** An event on its way into the log: encoded, without an offset yet. */
export interface PendingEvent {
  readonly workspace: string;
  readonly stream: string;
  readonly event: string;
  readonly at: number;
  readonly json: string;
  /** Of `json` in UTF-8. */
  readonly bytes: number;
  readonly keyframe?: string;
}

export interface StoredRows {
  readonly rows: readonly (StoredEvent & { readonly offset: number })[];
  readonly head: number;
  /** Whether a limit cut the rows short. */
  readonly more: boolean;
}

export interface Dialect {
  /** For handlers' typed queries, on the same connection and so in the same transaction. */
  readonly kysely: Kysely<SomeTables>;
  begin(write: boolean): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  savepoint(): Promise<void>;
  release(): Promise<void>;
  rollbackToSavepoint(): Promise<void>;
  /** Gives offsets under the streams' locks and inserts, streams in the order of their names. Epochs of new streams from `newEpoch`. */
  append(events: readonly PendingEvent[], newEpoch: () => string): Promise<readonly Appended[]>;
  /** Makes the stream exist. */
  open(workspace: string, stream: string, newEpoch: () => string): Promise<void>;
  position(workspace: string, stream: string): Promise<StreamPosition | null>;
  /** The same for many, of one moment, in their order (ST-14). */
  positions(streams: readonly StreamName[]): Promise<readonly (StreamPosition | null)[]>;
  /** The rows after `offset` that are there, in order, with the stream's head in the same moment. */
  read(workspace: string, stream: string, offset: number, eventsMax: number, bytesMax: number): Promise<StoredRows>;
  /**
   * The same as pieces of at most `pieceBytesMax` (or one event), straight from the columns: a quarter of the
   * time. undefined where an offset is missing, or there is no such stream: then {@link Dialect.read} tells more.
   */
  readPieces(
    workspace: string,
    stream: string,
    offset: number,
    limits: { readonly eventsMax: number; readonly bytesMax: number; readonly pieceBytesMax: number },
  ): Promise<readonly EncodedPiece[] | undefined>;
  /** Removes everything up to `through`, durable with the transaction (ST-10). */
  trim(workspace: string, stream: string, through: number): Promise<void>;
  /** What the database takes on its disk, with what is free in it. */
  diskBytes(): Promise<number>;
  acknowledge(workspace: string, stream: string, epoch: string, offset: number): Promise<void>;
  /** ST-15: a stream whose history was lost gets a new name for it. Durable with the transaction. */
  renewEpoch(workspace: string, stream: string, from: string, to: string): Promise<void>;
  /** Whether this failure is the database's (nothing of the batch stands), not one statement's. */
  isFatal(error: unknown): boolean;
  close(): Promise<void>;
}
