/**
 * The database as the rooms see it: batches of operations that commit together, and reads.
 *
 * Life cycle of an operation: it joins the batch that is gathering (group commit, `streams/committer`),
 * runs in a savepoint of its own, and its outcome comes back after the commit is durable. Invariants:
 * offsets are given under the stream's lock at the end of the batch; nothing is answered or delivered
 * before the commit (ST-13); an operation that fails undoes only itself. The port knows no sockets, and
 * deliberately has no generic "query": handlers run on its side, not on the caller's.
 */
import type { Cursor, ErrorBody } from "@holdfast/protocol";
import type { Origin } from "../observe/audit.ts";
import type { AgentHello, NewEvent, Principal } from "../plugin.ts";
import type { Lifetimes } from "./lifetimes.ts";

/** One operation of a batch. */
export type Operation =
  | {
      readonly kind: "request";
      readonly caller: Principal;
      /** For the audit; absent in what a server's own parts ask. */
      readonly from?: Origin;
      readonly id: string;
      readonly method: string;
      readonly params: unknown;
      readonly hash: string;
      readonly after?: string;
      readonly deadline?: number /** The final answer, known before any effect (wrong params): only to be stored. */;
      readonly refusal?: ErrorBody;
    }
  | {
      readonly kind: "publish";
      readonly caller: Principal;
      readonly generation?: number;
      readonly stream: string;
      readonly producer: string;
      readonly sequence: number;
      readonly events: readonly unknown[];
    }
  | {
      readonly kind: "append";
      readonly workspace: string;
      readonly stream: string;
      readonly events: readonly NewEvent[];
    }
  | { readonly kind: "task"; readonly workspace: string; readonly task: string; readonly input: unknown }
  | {
      readonly kind: "ack";
      readonly workspace: string;
      readonly stream: string;
      readonly cursor: Cursor;
      /** The process that says so, compared in this transaction (OP-7). */
      readonly process?: { readonly agent: string; readonly generation: number };
    }
  /** OP-6, OP-7: finds or registers an agent. Value: `AgentWelcome`. */
  | { readonly kind: "agentHello"; readonly workspace: string; readonly hello: AgentHello }
  /** One small batch of what has outlived its time; a transaction of its own. Value: {@link Retained}. */
  | { readonly kind: "retain"; readonly step: RetainStep }
  /** AD-2: writes one row that nobody reads, to know whether a write is possible. Value: null. */
  | { readonly kind: "probe" }
  /** ST-15: a cursor beyond the head shows a rolled-back store; the stream's history gets a new name, unless another
   * reader of the same rollback has renewed `epoch` already. Value: null. */
  | { readonly kind: "renew"; readonly workspace: string; readonly stream: string; readonly epoch: string };

/** What one step of the retention job looks at (`retain.ts`). Ages are judged by the store's clock. */
export type RetainStep =
  | { readonly of: "requests" | "producers"; readonly keptMs: number }
  | {
      readonly of: "events";
      readonly from: RetainPlace;
      readonly lifetimes: Lifetimes;
      /** Only what a later keyframe replaces, whatever else is past its time. */
      readonly only?: "replaced";
    }
  | { readonly of: "size" };

/** Behind an event of a stream, by the stream's number; `{ 0, 0 }` is the beginning. */
export interface RetainPlace {
  readonly stream: number;
  readonly offset: number;
}

export interface StoreSize {
  /** Data of all events, as JSON in UTF-8. */
  readonly eventBytes: number;
  /** What the database takes, with what is free in it. */
  readonly diskBytes: number;
}

export interface Retained {
  /** Rows. */
  readonly removed: number;
  /** Of step `events`: their data. */
  readonly bytes?: number;
  /** Where the next step goes on; undefined: there is nothing more. */
  readonly next: RetainPlace | undefined;
  /** Of step `size`. */
  readonly size?: StoreSize;
}

/** A failure that no handler meant: the log gets the error, the client only `ref`. */
export interface Fault {
  readonly ref: string;
  readonly operation: string;
  readonly error: unknown;
}

/** What became of it, in the same order. A value's shape depends on the kind. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ErrorBody };

/** The value of a `publish` (PB-2, PB-3). */
export interface PublishOutcome {
  readonly sequence: number;
  readonly rejected: readonly { readonly sequence: number; readonly error: ErrorBody }[];
}

/** An event as it is stored and sent: its JSON parts are encoded already, once. */
export interface StoredEvent {
  readonly event: string;
  readonly at: number;
  /** `data` as JSON text. */
  readonly json: string;
  readonly keyframe?: string;
  /** The offsets that it covers, where these are not just the next one (ST-4): rolled up, or skipped. */
  readonly range?: { readonly offset: number; readonly through: number };
}

export interface EncodedEvent {
  /** JSON text of `{ event, at, data, keyframe? }`. */
  readonly json: string;
  /** How many offsets it covers: 1, or those of its range. */
  readonly span: number;
}

/** Several, joined by commas. */
export interface EncodedPiece {
  /** UTF-8. Its buffer holds pieces of one run and nothing else, so that it can be transferred. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly span: number;
}

/** A run of events that a batch appended to one stream. */
export interface Appended {
  readonly workspace: string;
  readonly stream: string;
  readonly epoch: string;
  /** Offset of the first event. */
  readonly offset: number;
  readonly events: readonly StoredEvent[];
}

export interface BatchResult {
  readonly outcomes: readonly Outcome[];
  readonly faults: readonly Fault[];
  readonly appended: readonly Appended[];
}

export interface StreamName {
  readonly workspace: string;
  readonly stream: string;
}

export interface StreamPosition {
  readonly epoch: string;
  readonly head: number;
  /** Everything up to this offset was removed by retention (ST-10); 0 where nothing was. */
  readonly trimmed: number;
  /** Offset of the last event that was acknowledged (inboxes; 0 else). */
  readonly acknowledged: number;
}

export interface StreamSnapshot {
  readonly position: StreamPosition;
  readonly data: Record<string, unknown> | null;
}

/** Contiguous from `offset` on: what retention removed in between is a `skipped` event with its range. */
export interface EventRun {
  readonly offset: number;
  readonly events: readonly StoredEvent[];
}

/** The same, encoded: its pieces follow each other without a gap. */
export interface EncodedRun {
  readonly offset: number;
  readonly pieces: readonly EncodedPiece[];
  /** Retention removed the first of it: whether also all before, the stream's position says. */
  readonly beginsRemoved: boolean;
}

export interface Store {
  /** Runs a batch in one transaction. Rejects with `store_unavailable` where nothing of it is known to be done. */
  commit(batch: readonly Operation[]): Promise<BatchResult>;
  /** null: the stream does not exist. */
  position(workspace: string, stream: string): Promise<StreamPosition | null>;
  /** The same for many, in one query, in their order (ST-14). */
  positions(streams: readonly StreamName[]): Promise<readonly (StreamPosition | null)[]>;
  /** The projection's state exactly at a position (ST-9). */
  snapshot(workspace: string, stream: string): Promise<StreamSnapshot | null>;
  /**
   * Events after `offset`, at most `eventsMax` and about `bytesMax`, encoded and joined to pieces of about a frame;
   * neighbours that the app can join are one event, unless `rollUp` is false (ST-12).
   */
  read(
    workspace: string,
    stream: string,
    offset: number,
    eventsMax: number,
    bytesMax: number,
    rollUp?: boolean,
  ): Promise<EncodedRun>;
  /** A read method of the contract (kind `read`), outside any batch. */
  query(
    caller: Principal,
    method: string,
    params: unknown,
  ): Promise<{ readonly outcome: Outcome; readonly faults: readonly Fault[] }>;
  close(): Promise<void>;
}
