/**
 * What a session keeps across reloads, as a port: whose it is, the durable requests, the state of streams.
 *
 * Life: `open` once (it takes the outbox for this owner alone), reads and writes, `close`. Invariants: all of
 * it belongs to one user and workspace, and goes as a whole (OP-5); a state and its cursor are written in one
 * transaction, so neither is ever without the other (ST-6); what a promise said to be written survives the
 * end of the process. It deliberately knows neither streams nor sessions. One contract suite holds for all.
 */
import type { Cursor, Identity } from "@holdfast/protocol";

/** A durable request as it waits. */
export interface StoredRequest {
  /** Ours, for as long as it lives: through reloads and owners of the socket. */
  readonly ticket: string;
  readonly method: string;
  /** JSON. */
  readonly params: string;
  readonly lane: string | undefined;
  readonly timeoutMs: number | undefined;
  /** ms since 1970, on our clock. */
  readonly savedAt: number;
  /** The id that whoever asked gave it: it goes out under this one and no other. */
  readonly given?: GivenId | undefined;
  /** What it went out as; absent while it was never sent. */
  readonly named?: NamedRequest | undefined;
}

/** `after`: the id of the one that it must follow, also where that is not here (RQ-4). */
export interface GivenId {
  readonly id: string;
  readonly after: string | undefined;
}

/** The id and the whole message under which a request was first sent, wherever it is kept. */
export interface NamedRequest {
  readonly id: string;
  readonly text: string;
  /** Server clock, ms. */
  readonly deadline: number;
}

export interface StoredState {
  readonly state: unknown;
  readonly cursor: Cursor;
}

export interface Held {
  readonly identity: Identity | undefined;
  /** In the order in which they were saved. */
  readonly requests: readonly StoredRequest[];
}

export interface SessionStorage {
  /** What is held. Rejects where there is nothing to write to, or another owner has the outbox. */
  open(): Promise<Held>;
  /** Whose all of it is from now on; what is another's goes first. */
  identify(identity: Identity): Promise<void>;
  /** Resolves when it is written. Rejects over `outboxStoredBytesMax`, and where nothing can be written. */
  putRequest(request: StoredRequest): Promise<void>;
  deleteRequest(ticket: string): Promise<void>;
  /** Undefined where there is none of this user and workspace. */
  loadState(identity: Identity, key: string): Promise<StoredState | undefined>;
  /** False where it was not written: another's, older than what is there, or over `stateStoredBytesMax`. */
  saveState(identity: Identity, key: string, state: StoredState): Promise<boolean>;
  /** Forgets everything, and whose it was. */
  drop(): Promise<void>;
  close(): void;
}

/** All stored requests together, as JSON. */
export const outboxStoredBytesMax = 4 * 1024 * 1024;
/** One state, as JSON. */
export const stateStoredBytesMax = 4 * 1024 * 1024;
/** All states together; the one saved longest ago goes first. */
export const statesStoredBytesMax = 32 * 1024 * 1024;
