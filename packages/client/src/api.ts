/**
 * The client's public face: one session, its streams, its requests, its signals.
 *
 * A session owns the only socket (CL-6). Everything a caller holds survives a connection: subscriptions
 * hold cursors, requests wait in the outbox. Nothing here opens, closes or retries by itself; the session's
 * policy does. What other kinds of session can besides stands with the entry that makes them. It deliberately
 * knows no DOM and no React.
 */
import type { Clock, Cursor, From, ProtocolError, Random, StreamEvent, Transport, User } from "@holdfast/protocol";

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
}

/** What the server says of who is signed in; `refused`: it answers, but not to us. */
export interface SignedIn {
  readonly kind: "signedIn" | "signedOut" | "refused" | "unreachable";
}

/** Asks who is signed in; `refresh`: and lets the session last its full life from now on. */
export type AskServer = (refresh: boolean) => Promise<SignedIn>;

export interface SessionOptions {
  /** `ws://…/ws`; a function is asked before each attempt. In a page, by default, `/ws` of the page's own server. */
  readonly url?: string | (() => string);
  /** null = signed out; a pending promise = not known yet; neither makes an attempt. Absent: cookie or nothing. */
  readonly getToken?: (why: "first" | "expiring" | "rejected") => Promise<string | null>;
  readonly clientName: string;
  readonly clientVersion?: string;
  /** OP-5: all state of the former user must go. */
  readonly onIdentityChanged?: () => void;
  /**
   * The server could not judge or take something of ours (TR-4): a fault, of this program or of the server. Told once
   * for each code; all are counted in `statistics.problems`. Absent: a warning on the console.
   */
  readonly onProblem?: (problem: ProtocolError) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly transport?: Transport;
  /**
   * Who is signed in, and refreshing it (AU-7, CL-10): `askOver` of `@holdfast/client/http`. Absent: `fetch` on the
   * socket's origin, loaded when it is first asked.
   */
  readonly http?: AskServer;
}

/** Method name → what is passed and what comes back. */
export type MethodMap = Record<string, { params: unknown; result: unknown }>;

export interface Session<Methods extends MethodMap = MethodMap> {
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  readonly user: User | undefined;
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
  /** Says something to all who read the stream now; dropped while there is no connection (ST-17). */
  signal(stream: string, signal: string, data?: unknown): void;
  /** Hears the signals of every stream that this session reads; never its own. Returns how to stop it. */
  onSignal(listener: (heard: HeardSignal) => void): () => void;
  /**
   * A token for an HTTP call of this page (CL-7): the one in hand while it lasts 5 s at least, else a fresh one. One
   * question is under way at a time, the socket's own included, and with shared tabs one in the browser. `refused`:
   * what the call went out with, where that was refused; then another one, and without `getToken`, for which it is
   * `null`, the cookie's session is refreshed. `null`: signed out, or a cookie says who this is. Rejects with
   * `auth_unavailable` where nobody can say.
   */
  token(refused?: string | null): Promise<string | null>;
  /** A person's "try now" (CL-4). */
  reconnect(): void;
  /** Tells the policy what the platform knows (LV-4, CL-5). The browser shell wires it by itself. */
  hint(hint: "online" | "offline" | "visible" | "hidden" | "woke"): void;
  /** CL-8. Resolves when nothing of it is left: no timer, listener or socket. */
  close(): Promise<void>;
}

/** A session of any kind and with whatever methods: what those take who call none. */
export type AnySession = Omit<Session, "call"> & {
  call(method: never, params: never, options?: CallOptions): Promise<unknown>;
};
