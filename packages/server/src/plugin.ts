/**
 * What an app is to the server: methods, streams, tasks and tables, as data and functions.
 *
 * A plugin module is imported twice: by the main thread (which validates, authorises and schedules) and by
 * the store's worker (which runs handlers, inside a transaction). Life cycle of a handler: a batch of
 * operations is one transaction, each operation a savepoint in it; a handler that throws a `ProtocolError`
 * undoes its own savepoint and nothing else. Invariant: a handler sees only its transaction; it waits for
 * nothing outside it (RQ-2), holds no state in memory, and takes its time and ids from it. A plugin
 * deliberately never sees a frame or a socket.
 */
import type { AgentIdentity, Clock, HelloAgent, Role } from "@holdfast/protocol";
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { z } from "zod";
import type { NodeNotice } from "./nodes/notice.ts";
import type { Log } from "./observe/log.ts";

/** Who acts: a person, or an agent on its own connection (OP-6). */
export interface Principal {
  readonly kind: "person" | "agent";
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly workspace: string;
  readonly temporary: boolean;
  /** The API key that this identity came with, if any. */
  readonly key?: { readonly id: string; readonly enrol: boolean };
  /** The id of the session that it came by, where it is one of this server's. */
  readonly session?: string;
}

/**
 * Whatever tables a plugin has: its handlers name them, the server does not know them. Kysely's type is
 * invariant in its tables, so no safe type stands for "some".
 */
// biome-ignore lint/suspicious/noExplicitAny: the only type that every plugin's tables fit
export type SomeTables = any;

export interface NewEvent {
  readonly event: string;
  readonly data: unknown;
  /** The scope that this event replaces (ST-10). */
  readonly keyframe?: string;
}

/** An event as it lies in the log. */
export interface LoggedEvent {
  readonly offset: number;
  /** Server clock, ms since 1970. */
  readonly at: number;
  readonly event: string;
  readonly data: unknown;
  readonly keyframe?: string;
}

/** Which events of a stream to read, all bounds exclusive. */
export interface LogRange {
  readonly after: number;
  /** Absent: up to the head. */
  readonly before?: number;
  /** Only events of these names; absent: all. */
  readonly names?: readonly string[];
  /** Which end counts where a limit cuts: `newest` gives the last events of the range. */
  readonly end: "oldest" | "newest";
  readonly eventsMax: number;
  /** Of all data as JSON text; at least one event is given. */
  readonly bytesMax: number;
}

/** The log of this workspace as it was when the transaction began: what it appends itself is not in it. */
export interface LogReader {
  /** Offset of a stream's last event; 0 where there is none. */
  head(stream: string): Promise<number>;
  /** Whether retention has removed nothing of it. */
  isWhole(stream: string): Promise<boolean>;
  /** The newest keyframe of a scope (ST-10), of a stream's events up to its head. */
  keyframe(stream: string, scope: string): Promise<LoggedEvent | undefined>;
  /** In the order of their offsets, whatever {@link LogRange.end} says. */
  read(stream: string, range: LogRange): Promise<readonly LoggedEvent[]>;
}

/** Reads of one moment: everything in one snapshot transaction. */
export interface ReadTransaction<Tables = SomeTables> {
  readonly db: Kysely<Tables>;
  readonly log: LogReader;
  readonly workspace: string;
  /** Server clock, ms since 1970. */
  readonly now: number;
}

/** One operation of a batch. Appended events get their offsets when the batch commits. */
export interface Transaction<Tables = SomeTables> extends ReadTransaction<Tables> {
  /** A new UUIDv7 on the server's clock; later ones sort after earlier ones. */
  newId(): string;
  /** Unguessable, for a secret that is told once. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Appends to a stream of this workspace, after what was appended before. Creates the stream if need be. */
  append(stream: string, event: NewEvent): void;
  /** Makes a stream exist, empty. */
  open(stream: string): void;
  /** AU-9, OP-7: tells all nodes that somebody's rights have changed by this transaction. */
  tellNodes(notice: NodeNotice): void;
}

/** A method: declared by the contract, done by the handler. */
export interface Method {
  readonly params: z.ZodType;
  /** Of what it returns; for the documentation. */
  readonly result?: z.ZodType;
  /** One sentence for the documentation. */
  readonly doc?: string;
  readonly role: Exclude<Role, "agent">;
  readonly kind: "read" | "effect";
  /** Fields of the result that are told once, and not stored with the answer (RQ-1). */
  readonly secret?: readonly string[];
  /**
   * One line of the log about what was done, on the main thread of the node that was asked. A repeat of the request is
   * told again under the same `request`; its `result` has no secret.
   */
  readonly tell?: (log: Log, done: { readonly by: string; readonly request: string; readonly result: never }) => void;
  /** Given where it changes somebody else's rights, secrets or work: it stands in the stream `audit`, done or refused. */
  readonly audited?: Audited;
  /** Its answer means accepted, and the outcome is told by events: 202 over HTTP (RQ-2). */
  readonly accepts?: boolean;
  /** Also called by agents (role `agent`). */
  readonly agents?: boolean;
  readonly handle: (tx: Transaction<SomeTables>, params: never, caller: Principal) => Promise<unknown>;
}

/** What of a deed stands in the stream `audit`, beside who did it, when and from where. */
export interface Audited {
  /** What it was done to: its type, and the field of the params, or else of the result, that names it. */
  readonly object?: { readonly type: string; readonly id: string };
  /** Fields of the params, or else of the result, that are told with their values. Of other params the name is told. */
  readonly told?: readonly string[];
  /** Whether it is anybody's but the caller's, and what more is to be told then; undefined: it is not audited. */
  readonly concerns?: (
    tx: ReadTransaction<SomeTables>,
    params: never,
    caller: Principal,
  ) => Promise<Readonly<Record<string, unknown>> | undefined>;
}

export interface PublishRequest {
  readonly stream: string;
  readonly caller: Principal;
  /** The publisher's generation, where it is an agent: compared in this transaction (OP-7). */
  readonly generation?: number;
  readonly events: readonly { readonly event: string; readonly data: unknown; readonly keyframe?: string }[];
}

/**
 * The verdict on each event of a publish, in order: `null` = append it (the plugin has appended it with
 * `tx.append`), else why it is rejected (PB-2). A thrown `ProtocolError` refuses the whole (PB-3).
 */
export type PublishVerdicts = readonly (null | import("@holdfast/protocol").ErrorBody)[];

/** How neighbouring events of one name become one. */
export interface RollUp {
  /** Names what an event belongs to (a terminal, a message); neighbours of one name and key are joined. Absent key: never. */
  readonly key: (event: string, data: unknown) => string | undefined;
  /** The joint data of at least two. */
  readonly join: (event: string, data: readonly unknown[]) => unknown;
}

/** A row of the table of lifetimes (`store/lifetimes.ts`): how long the events of a stream are kept. */
export type Lifetime = "work" | "records" | "audit";

export interface StreamFamily {
  /** A whole name (`fleet`), or a prefix that ends in `/` (`thread/`). */
  readonly name: string;
  /** Exists before its first event. For a prefix only where {@link mayRead} gives each reader one: who may read it makes it. */
  readonly always: boolean;
  /** Inboxes have one reader, are acknowledged, and have no `latest` (OP-8). */
  readonly inbox: boolean;
  readonly mayRead: (principal: Principal, stream: string) => boolean;
  /** Who may signal it without reading it (ST-17). Absent: nobody. */
  readonly maySignal?: (principal: Principal, stream: string) => boolean;
  /** State exactly at the head of this read transaction (ST-9); without it `latest` starts at the head. */
  readonly snapshot?: (tx: ReadTransaction<SomeTables>, stream: string) => Promise<Record<string, unknown>>;
  /** How long its events are kept (ST-10); absent: for ever. An inbox's go once they are acknowledged, whatever it says. */
  readonly lifetime?: Lifetime;
  /**
   * The scope that an event other than a keyframe belongs to: a later keyframe of that scope replaces it. Absent:
   * keyframes replace keyframes only. Pure.
   */
  readonly scopeOf?: (event: string, data: unknown) => string | undefined;
  /** Whether something of it is unfinished, so that nothing of it goes for its age (ST-10). Absent: never. */
  readonly isOpen?: (tx: ReadTransaction<SomeTables>, stream: string) => Promise<boolean>;
  /** Joins neighbouring events for a reader that catches up (ST-12). Pure; called in the store's reader. */
  readonly rollUp?: RollUp;
  /** Judges and appends. Absent: nobody may publish. */
  readonly publish?: (tx: Transaction<SomeTables>, request: PublishRequest) => Promise<PublishVerdicts>;
}

export interface AgentHello {
  readonly caller: Principal;
  readonly hello: HelloAgent;
  /** OP-2: of one instance the attempt rises, so that a `hello` that was long under way is known from a newer one. */
  readonly instance: string;
  readonly attempt: number;
  readonly connection: string;
  /** The node that holds it, where several may share the store. */
  readonly node?: string;
  /** In development mode, without a key, anyone may create agents (OP-6). */
  readonly open: boolean;
}

export interface AgentWelcome {
  readonly identity: AgentIdentity;
  /** The inbox stream and the offset that the server knows to be acknowledged (OP-8). */
  readonly inbox: string;
}

/** Agents as the protocol knows them (OP-6…OP-8). All three run in a transaction. */
export interface AgentHooks {
  /** Registers or finds the agent; throws `forbidden` or `fenced`. */
  readonly hello: (tx: Transaction<SomeTables>, hello: AgentHello) => Promise<AgentWelcome>;
  /** Whether that generation speaks for the agent: an older one acknowledges nothing (OP-7). Absent: each does. */
  readonly isCurrent?: (
    tx: ReadTransaction<SomeTables>,
    process: { readonly agent: string; readonly generation: number },
  ) => Promise<boolean>;
}

/** What a plugin may use on the main thread. */
export interface PluginHost {
  readonly clock: Clock;
  readonly log: Log;
  /** Where other nodes may be on the same store: this one's name, new with each start. Absent: nobody else is. */
  readonly shared?: { readonly node: string };
  /** Runs one of the plugin's tasks in a transaction of its own, in that workspace. */
  run(task: string, input: unknown, workspace: string): Promise<unknown>;
}

/** A task that goes first in the next batch, in its transaction, and what becomes of its value. Where it fails nobody is told. */
export interface LeadingTask {
  readonly task: string;
  readonly input: unknown;
  readonly workspace: string;
  readonly done: (value: unknown) => void;
}

/** The plugin's part on the main thread: it hears of agents' connections, and may have timers. */
export interface PluginRuntime {
  /** Asked before each batch of this node: what must hold in the store before anything else that it says is true. */
  leads?(): LeadingTask | undefined;
  /** Called once, before the first connection. */
  started(): Promise<void>;
  /** An agent's `hello` was accepted on `connection`. */
  agentConnected(agent: { id: string; workspace: string; connection: string }): void;
  /** That connection ended. `polite`: it said `leave` (CL-8). */
  agentDisconnected(agent: { id: string; workspace: string; connection: string; polite: boolean }): void;
  /** Leaves no timer behind. */
  stopped(): void;
}

/** What a feed is once it is open: what is said first, and what of each event after that. Pure. */
export interface OpenFeed {
  readonly first: readonly object[];
  readonly event: (event: { readonly event: string; readonly at: number; readonly data: unknown }) => readonly object[];
}

/** A stream in the words of another protocol, over HTTP as server-sent events; for whoever may read the stream. */
export interface Feed {
  /** Below `/api/`, with one part `:id`: `notes/:id/feed`. */
  readonly path: string;
  readonly stream: (id: string) => string;
  /** From the stream's snapshot. */
  readonly open: (snapshot: Record<string, unknown>) => OpenFeed;
}

export type Task = (tx: Transaction<SomeTables>, input: never) => Promise<unknown>;

export interface Plugin {
  readonly name: string;
  readonly migrations: Readonly<Record<string, Migration>>;
  readonly methods: Readonly<Record<string, Method>>;
  readonly streams: readonly StreamFamily[];
  readonly tasks: Readonly<Record<string, Task>>;
  readonly feeds?: readonly Feed[];
  readonly agents?: AgentHooks;
  readonly start?: (host: PluginHost) => PluginRuntime;
}
