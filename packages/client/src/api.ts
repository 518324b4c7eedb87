/**
 * The client's public face: one session, its streams, its requests, its producers.
 *
 * A session owns the only socket (CL-6). Everything a caller holds survives a connection: subscriptions
 * hold cursors, requests wait in the outbox, producers keep what is not `published`. Nothing here opens,
 * closes or retries by itself; the session's policy does. It deliberately knows no DOM and no React.
 */
import type {
  AgentIdentity,
  Clock,
  Cursor,
  From,
  HelloAgent,
  ProtocolError,
  PublishedEvent,
  Random,
  StreamEvent,
  Transport,
  User,
} from "@holdfast/protocol";
import type { SessionStorage } from "./storage/port.ts";

/** The one public state (CL-11). `retryAt` is on the session's clock, ms since 1970. */
export type SessionState =
  | { readonly kind: "idle" }
  | { readonly kind: "authenticating" }
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "live" }
  | { readonly kind: "catchingUp"; readonly behind: number }
  | { readonly kind: "degraded"; readonly reason: string; readonly since: number }
  | { readonly kind: "waiting"; readonly attempt: number; readonly retryAt: number; readonly reason: string }
  | { readonly kind: "offline" }
  | { readonly kind: "stopped"; readonly reason: string };

/** Counts of this session, for the person and for the ledger. */
export interface SessionStatistics {
  readonly received: number;
  readonly applied: number;
  readonly duplicatesSuppressed: number;
  readonly gapsRepaired: number;
  readonly reconnects: number;
  readonly longestGapMs: number;
  readonly unknownMessages: number;
  /** What the server could not judge or take of ours, and told without a better answer (TR-4, ST-17). */
  readonly problems: number;
  /** From an event's `at` on the server's clock until its handler returned; of the newest 1,024 at live readers. */
  readonly displayLagP50Ms?: number;
  readonly displayLagP99Ms?: number;
}

/** What somebody else says to all who read a stream now (ST-17): never stored, and worth nothing a second later. */
export interface HeardSignal {
  readonly stream: string;
  readonly signal: string;
  readonly data: unknown;
  /** The sender's id, as the server verified it. */
  readonly from: string;
}

/** One event as a subscriber gets it: its offset is always there. */
export interface AppliedEvent extends StreamEvent {
  readonly stream: string;
  readonly offset: number;
  /** The last offset that this event covers (ST-12); equals `offset` for an ordinary one. */
  readonly through: number;
}

export interface SubscribeOptions {
  readonly from: From;
  /** Called in order, each offset once (I1). A throw stops this stream before `events[0]` (ST-6) and calls `onError`. */
  readonly onEvents: (
    events: readonly AppliedEvent[],
    position: { readonly cursor: Cursor; readonly head: number },
  ) => void;
  /** The whole snapshot, parts joined; replaces all state of the stream. */
  readonly onSnapshot?: (
    data: Readonly<Record<string, unknown>>,
    position: { readonly cursor: Cursor; readonly head: number },
  ) => void;
  /** State must be dropped; what follows starts anew (ST-3). */
  readonly onReset?: (reset: { readonly reason: "epoch" | "trimmed"; readonly lost: number | undefined }) => void;
  readonly onStatus?: (status: SubscriptionStatus) => void;
  readonly onError?: (error: unknown, decide: { retry(): void; skip(): void }) => void;
}

export type SubscriptionStatus =
  | { readonly kind: "waiting" }
  | { readonly kind: "catchingUp"; readonly behind: number }
  | { readonly kind: "live" }
  | { readonly kind: "pending"; readonly reason: string }
  | { readonly kind: "stopped"; readonly error: unknown }
  | { readonly kind: "refused"; readonly error: ProtocolError };

export interface Subscription {
  readonly stream: string;
  readonly status: SubscriptionStatus;
  /** The last event applied; undefined before the first answer. */
  readonly cursor: Cursor | undefined;
  unsubscribe(): void;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** ms from the first sending (RQ-3); 30,000 by default. */
  readonly timeout?: number;
  /** Waits unsent for up to 1 h (RQ-3). */
  readonly durable?: boolean;
  /** Requests of one lane follow each other (`after`, RQ-4): a thread's or an agent's id. */
  readonly lane?: string;
  /** Hears the ticket of this request, which `saved`, `outcome` and `withdraw` know it by. */
  readonly onTicket?: (ticket: string) => void;
}

/** A durable request that is not decided yet: saved here, or sent and not answered (RQ-3). */
export interface SavedRequest {
  /** Names it through reloads, in every tab. */
  readonly ticket: string;
  readonly method: string;
  readonly params: unknown;
  readonly lane: string | undefined;
  /** ms since 1970, on our clock. */
  readonly savedAt: number;
  /** Is written down: survives a reload. */
  readonly isKept: boolean;
  /** Was sent, so it cannot be withdrawn any more. */
  readonly isSent: boolean;
}

/** How tabs of a browser share one socket: made by `tabs()` of `@holdfast/client/tabs`. */
export interface Sharing {
  open(options: SessionOptions): Session;
}

/** What a program says of one producer of one stream (PB-1…PB-5). */
export interface Producer {
  readonly stream: string;
  /** Bytes not yet `published`. */
  readonly pendingBytes: number;
  /** False while the buffer is over its limit: the source pauses (PB-4). */
  readonly accepting: boolean;
  /** Queues one event, in order; resolves when it is decided: `null`, or why it was rejected. Rejects only when the producer stopped. */
  publish(event: PublishedEvent): Promise<ProtocolError | null>;
  /** Calls back each time `accepting` turns true again. Returns how to stop it. */
  onDrain(listener: () => void): () => void;
  close(): void;
}

/**
 * One request to the server of the socket, with the browser's cookies. Rejects where no answer came; `body` is the
 * parsed JSON, or undefined where it is none.
 */
export type SessionHttp = (
  method: "GET" | "POST",
  path: string,
) => Promise<{ readonly status: number; readonly body: unknown }>;

export interface SessionOptions {
  /** `ws://…/ws`; a function is asked before each attempt. In a page, by default, `/ws` of the page's own server. */
  readonly url?: string | (() => string);
  /** null = signed out; a pending promise = not known yet; neither makes an attempt. Absent: cookie or nothing. */
  readonly getToken?: (why: "first" | "expiring" | "rejected") => Promise<string | null>;
  readonly clientName: string;
  readonly clientVersion?: string;
  /** Makes this session an agent's (OP-6); asked before each `hello`. */
  readonly agent?: () => HelloAgent;
  /** `fenced` and other ends are in the state; this hears of the identity (OP-7). */
  readonly onAgent?: (agent: AgentIdentity) => void;
  /** OP-5: all state of the former user must go. */
  readonly onIdentityChanged?: () => void;
  /** One socket for all tabs (OP-2). Absent: one for each session. */
  readonly share?: Sharing;
  /** Keeps durable requests across reloads (RQ-3), and whose they are (OP-5). Absent: memory only. */
  readonly storage?: SessionStorage;
  /**
   * The server could not judge or take something of ours (TR-4): a fault, of this program or of the server. Told once
   * for each code; all are counted in `statistics.problems`. Absent: a warning on the console.
   */
  readonly onProblem?: (problem: ProtocolError) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly transport?: Transport;
  /** Who is signed in, and refreshing it (AU-7, CL-10). Absent: `fetch` on the socket's origin. */
  readonly http?: SessionHttp;
}

/** Method name → what is passed and what comes back. */
export type MethodMap = Record<string, { params: unknown; result: unknown }>;

export interface Session<Methods extends MethodMap = MethodMap> {
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  readonly user: User | undefined;
  readonly agent: AgentIdentity | undefined;
  /** Requests not yet answered. */
  readonly outbox: number;
  /** Server clock minus ours, ms. */
  readonly clockOffset: number;
  /** Called after each change of `state`, `statistics`, `user` or `outbox`. Returns how to stop it. */
  onChange(listener: () => void): () => void;
  subscribe(stream: string, options: SubscribeOptions): Subscription;
  /** Rejects with a `ProtocolError`; `timeout` means: outcome unknown. */
  call<Name extends keyof Methods & string>(
    method: Name,
    params: Methods[Name]["params"],
    options?: CallOptions,
  ): Promise<Methods[Name]["result"]>;
  /** Durable requests not yet decided, those of earlier pages too; the same array while nothing changed. */
  readonly saved: readonly SavedRequest[];
  /** The outcome of a saved request, whoever asked for it: as `call` would have told it. */
  outcome(ticket: string): Promise<unknown>;
  /** Takes a saved request back; what was sent already goes on. */
  withdraw(ticket: string): void;
  /** One producer a stream; its UUID is made anew with each call. */
  producer(stream: string): Producer;
  /** OP-8: after the inbox cursor was stored durably. */
  acknowledge(stream: string, cursor: Cursor): void;
  /** Says something to all who read the stream now; dropped while there is no connection (ST-17). */
  signal(stream: string, signal: string, data?: unknown): void;
  /** Hears the signals of every stream that this session reads; never its own. Returns how to stop it. */
  onSignal(listener: (heard: HeardSignal) => void): () => void;
  /** A person's "try now" (CL-4). */
  reconnect(): void;
  /** Tells the policy what the platform knows (LV-4, CL-5). The browser shell wires it by itself. */
  hint(hint: "online" | "offline" | "visible" | "hidden" | "woke"): void;
  /** CL-8. Resolves when nothing of it is left: no timer, listener or socket. */
  close(): Promise<void>;
}
