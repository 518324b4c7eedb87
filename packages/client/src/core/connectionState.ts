/** The connection as a value: its states, what outlives them, what happens to it, and what it asks for. */
import type { Bye, Identity, Random, ServerMessage, Welcome } from "@holdfast/protocol";
import type { Heartbeat } from "./heartbeat.ts";

/** `unopened`: why sockets do not open, which only HTTP can tell (CL-10). */
export type TokenReason = "first" | "expiring" | "rejected" | "unopened";
export type Hint = "online" | "offline" | "visible" | "hidden" | "woke";
type Farewell = Pick<Bye, "code" | "reason" | "retryAfter" | "slot"> | undefined;

/** `isGraced`: it was found late once, and given a little more (LV-3). */
interface OpeningDeadline {
  readonly deadlineMs: number;
  readonly isGraced?: true;
}

export type ConnectionState =
  | { readonly kind: "idle" }
  /** The token is asked for; `request` tells its answer from that of an earlier question. */
  | { readonly kind: "authenticating"; readonly request: number }
  | { readonly kind: "waiting"; readonly deadlineMs: number; readonly reason: string }
  | ({ readonly kind: "connecting"; readonly attempt: number } & OpeningDeadline)
  | ({ readonly kind: "greeting"; readonly attempt: number; readonly bye: Farewell } & OpeningDeadline)
  | OpenState
  /** `flushing` waits for answers (CL-8), `ending` for the other side's close frame. */
  | {
      readonly kind: "closing";
      readonly attempt: number;
      readonly deadlineMs: number;
      readonly phase: "flushing" | "ending";
    }
  | { readonly kind: "stopped"; readonly reason: string }
  | { readonly kind: "closed" };

export interface OpenState {
  readonly kind: "open";
  readonly attempt: number;
  readonly welcome: Welcome;
  readonly welcomedMs: number;
  readonly heartbeat: Heartbeat;
  /** When the heartbeat is looked at next: never later than it is due. */
  readonly deadlineMs: number;
  /** CL-3: 10 s old with every subscription settled; failures are forgotten. */
  readonly stable: boolean;
  readonly bye: Farewell;
  /** AU-7: a better credential is being got, until the server has taken it; `atMs`: when to ask again. */
  readonly refresh: Refresh | undefined;
}

/** `token`: the one in use when it began, which a better one must outlast. */
export interface Refresh {
  readonly request: number;
  readonly tries: number;
  readonly atMs: number | undefined;
  readonly token: string | undefined;
}

export type StateKind = ConnectionState["kind"];
export type StateOf<Kind extends StateKind> = Extract<ConnectionState, { kind: Kind }>;

/** What outlives a state. */
export interface ConnectionMemory {
  /** There is a `getToken`. */
  readonly usesToken: boolean;
  /** There is none, and a browser's cookie may say who this is. */
  readonly usesCookie: boolean;
  /** Upgrades in a row that did not open (CL-10), and what HTTP said why. */
  readonly unopened: number;
  readonly unopenedWhy: string | undefined;
  readonly attempt: number;
  readonly tokenRequest: number;
  readonly startedMs: number | undefined;
  readonly failures: number;
  /** CL-4: no automatic attempt before. */
  readonly floorMs: number;
  readonly slot: string | undefined;
  readonly spreadMs: number;
  readonly token: string | undefined;
  /** The token has not yet carried a stable connection, so a refusal counts (CL-2). */
  readonly tokenFresh: boolean;
  readonly rejectedToken: string | undefined;
  readonly refusals: number;
  readonly tokenFailures: number;
  /** 1002, 1003, 1007, 1009, 1010 in a row (CL-2). */
  readonly faults: number;
  /** Pings unanswered in a row (LV-1). */
  readonly silences: number;
  readonly expect: Identity | undefined;
  readonly lastClose: { readonly code: number; readonly reason: string; readonly uptime: number } | undefined;
  readonly online: boolean;
  readonly visible: boolean;
  readonly hintedMs: number;
  readonly manualMs: number;
  /** Our clock to the server's, ms (RQ-1); what ours says of it, until a `welcome` told. */
  readonly serverOffsetMs: number;
  /** A `welcome` told it: before that our clock may be an hour wrong, and judges no token's end. */
  readonly isClockKnown: boolean;
}

export interface Connection {
  readonly state: ConnectionState;
  readonly memory: ConnectionMemory;
}

/** What the answer to `askToken` was. */
export type TokenOutcome =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "signedOut" }
  /** The cookie is somebody's; after a refresh, for longer than before. */
  | { readonly kind: "signedIn" }
  /** The server answers, but not to us. */
  | { readonly kind: "refused" }
  | { readonly kind: "unreachable" };

/** The server's own words on the connection. */
type Said<Type> = Type extends unknown
  ? { readonly kind: Type; readonly attempt: number; readonly message: Extract<ServerMessage, { type: Type }> }
  : never;

type Occurrence =
  | { readonly kind: "start" }
  | { readonly kind: "tokenAnswered"; readonly request: number; readonly outcome: TokenOutcome }
  | { readonly kind: "socketOpened"; readonly attempt: number }
  | { readonly kind: "socketClosed"; readonly attempt: number; readonly code: number; readonly reason: string }
  /** Any inbound frame. */
  | { readonly kind: "frameHeard"; readonly attempt: number }
  | Said<"welcome" | "bye" | "pong" | "expiring" | "authenticated">
  /** The server does not take our `auth`, or cannot judge it now (AU-7). */
  | { readonly kind: "authRefused"; readonly attempt: number; readonly retryAfter: number | undefined }
  | { readonly kind: "frameSent" }
  /** CL-3: 10 s after `welcome`, every subscription is settled. */
  | { readonly kind: "stabilised" }
  /** The deadline of this state. */
  | { readonly kind: "due" }
  | { readonly kind: "hinted"; readonly hint: Hint }
  | { readonly kind: "reconnectAsked" }
  | { readonly kind: "closeAsked" }
  /** Nothing of ours is unanswered any more. */
  | { readonly kind: "flushed" };

export type ConnectionEvent = Occurrence & { readonly now: number };
export type EventKind = Occurrence["kind"];
export type EventOf<Kind extends EventKind> = Extract<Occurrence, { kind: Kind }> & { readonly now: number };

export type ConnectionEffect =
  /** `old`: the token that a better one is wanted for. */
  | {
      readonly kind: "askToken";
      readonly request: number;
      readonly why: TokenReason;
      readonly old: string | undefined;
    }
  | { readonly kind: "openSocket"; readonly attempt: number }
  /** Closes it and never hears it again. */
  | { readonly kind: "dropSocket"; readonly attempt: number }
  /** Closes it with 1000 and goes on listening, for CL-8. */
  | { readonly kind: "endSocket"; readonly attempt: number }
  /** `hello` is due: what else belongs in it is the session's to add. */
  | { readonly kind: "greet" }
  | { readonly kind: "ping"; readonly n: number; readonly visible: boolean }
  /** Without a token the cookie counts. */
  | { readonly kind: "authenticate"; readonly token: string | undefined }
  | { readonly kind: "leave" }
  | { readonly kind: "identityChanged" };

export interface Step {
  readonly memory: ConnectionMemory;
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

export type Rule<State extends StateKind, Event extends EventKind> = (
  memory: ConnectionMemory,
  state: StateOf<State>,
  event: EventOf<Event>,
  random: Random,
) => Step;

/** What is known before the first attempt. */
export type FirstMemory = Pick<ConnectionMemory, "usesToken" | "usesCookie" | "serverOffsetMs">;

export function makeConnection(known: FirstMemory): Connection {
  return {
    state: { kind: "idle" },
    memory: {
      ...known,
      unopened: 0,
      unopenedWhy: undefined,
      attempt: 0,
      tokenRequest: 0,
      startedMs: undefined,
      failures: 0,
      floorMs: Number.NEGATIVE_INFINITY,
      slot: undefined,
      spreadMs: 0,
      token: undefined,
      tokenFresh: false,
      rejectedToken: undefined,
      refusals: 0,
      tokenFailures: 0,
      faults: 0,
      silences: 0,
      expect: undefined,
      lastClose: undefined,
      online: true,
      visible: true,
      hintedMs: Number.NEGATIVE_INFINITY,
      manualMs: Number.NEGATIVE_INFINITY,
      isClockKnown: false,
    },
  };
}

/** The one socket that is ours; undefined while there is none. */
export function ownedAttempt(state: ConnectionState): number | undefined {
  return "attempt" in state ? state.attempt : undefined;
}

/** When a state is to be looked at, monotonic ms; infinity where it waits for others. */
export function connectionDueMs(state: ConnectionState): number {
  const deadlineMs = "deadlineMs" in state ? state.deadlineMs : Number.POSITIVE_INFINITY;
  return state.kind === "open" ? Math.min(deadlineMs, state.refresh?.atMs ?? deadlineMs) : deadlineMs;
}
