/** The connection as a value: its states, what outlives them, what happens to it, and what it asks for. */
import type { Bye, Identity, Random, ServerMessage, Welcome } from "@holdfast/protocol";
import type { Heartbeat } from "./heartbeat.ts";

/** `unopened`: why sockets do not open, which only HTTP can tell (CL-10). */
export type TokenReason = "first" | "expiring" | "rejected" | "unopened";
export type Hint = "online" | "offline" | "visible" | "hidden" | "woke";
type Farewell = Pick<Bye, "code" | "reason" | "retryAfter" | "slot"> | undefined;

/** `isGraced`: it was found late once, and given a little more (LV-3). */
interface OpeningDeadline {
  deadlineMs: number;
  isGraced?: true;
}

/** It owns no socket. */
interface Unowned {
  readonly attempt?: undefined;
}

/** Nor does it wait: somebody else has to say something. */
interface Resting extends Unowned {
  readonly deadlineMs?: undefined;
}

/** A step replaces it, or changes the fields that are not `readonly`. */
export type ConnectionState =
  | ({ readonly kind: "idle" } & Resting)
  /** The token is asked for; `request` tells its answer from that of an earlier question. */
  | ({ readonly kind: "authenticating"; readonly request: number } & Resting)
  | ({ readonly kind: "waiting"; deadlineMs: number; reason: string } & Unowned)
  | ({ readonly kind: "connecting"; readonly attempt: number } & OpeningDeadline)
  | ({ readonly kind: "greeting"; readonly attempt: number; bye?: Farewell } & OpeningDeadline)
  | OpenState
  /** `flushing` waits for answers (CL-8), `ending` for the other side's close frame. */
  | { readonly kind: "closing"; readonly attempt: number; deadlineMs: number; phase: "flushing" | "ending" }
  | ({ readonly kind: "stopped"; readonly reason: string } & Resting)
  | ({ readonly kind: "closed" } & Resting);

export interface OpenState extends Heartbeat {
  readonly kind: "open";
  readonly attempt: number;
  readonly welcome: Welcome;
  readonly welcomedMs: number;
  /** When the heartbeat is looked at next: never later than it is due. */
  deadlineMs: number;
  /** CL-3: 10 s old with every subscription settled; failures are forgotten. */
  stable: boolean;
  bye?: Farewell;
  /** AU-7: a better credential is being got, until the server has taken it. */
  refresh?: Refresh | undefined;
}

/** `token`: the one in use when it began, which a better one must outlast. `atMs`: when to ask again. */
export interface Refresh {
  request: number;
  atMs: number | undefined;
  readonly token: string | undefined;
}

export type StateKind = ConnectionState["kind"];
export type StateOf<Kind extends StateKind> = Extract<ConnectionState, { kind: Kind }>;

/** The state, and what outlives it. Absent is what never was, or was forgotten. */
export interface Connection {
  state: ConnectionState;
  /** There is a `getToken`. */
  readonly usesToken: boolean;
  /** There is none, and a browser's cookie may say who this is. */
  readonly usesCookie: boolean;
  /** Upgrades in a row that did not open (CL-10), and what HTTP said why. */
  unopened: number;
  unopenedWhy?: string | undefined;
  attempt: number;
  tokenRequest: number;
  /** When the newest attempt began. */
  startedMs: number;
  failures: number;
  /** CL-4: no automatic attempt before. */
  floorMs: number;
  slot?: string | undefined;
  spreadMs: number;
  token?: string | undefined;
  /** The token has not yet carried a stable connection, so a refusal counts (CL-2). */
  tokenFresh: boolean;
  /** Until there is another; of a cookie "". */
  rejectedToken?: string | undefined;
  refusals: number;
  tokenFailures: number;
  /** 1002, 1003, 1007, 1009, 1010 in a row (CL-2). */
  faults: number;
  /** Pings unanswered in a row (LV-1). */
  silences: number;
  expect?: Identity | undefined;
  lastClose?: { readonly code: number; readonly reason: string; readonly uptime: number };
  online: boolean;
  visible: boolean;
  hintedMs: number;
  manualMs: number;
  /** Our clock to the server's, ms (RQ-1); what ours says of it, until a `welcome` told. */
  serverOffsetMs: number;
  /** A `welcome` told it: before that our clock may be an hour wrong, and judges no token's end. */
  isClockKnown: boolean;
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

export type ConnectionEvent =
  | { readonly kind: "start" }
  | { readonly kind: "tokenAnswered"; readonly request: number; readonly outcome: TokenOutcome }
  | { readonly kind: "socketOpened"; readonly attempt: number }
  | { readonly kind: "socketClosed"; readonly attempt: number; readonly code: number; readonly reason: string }
  /** Any inbound frame. */
  | { readonly kind: "frameHeard"; readonly attempt: number }
  | Said<"welcome" | "bye" | "pong" | "expiring" | "authenticated">
  /** The server does not take our `auth`, or cannot judge it now (AU-7). */
  | { readonly kind: "authRefused"; readonly attempt: number; readonly retryAfter: number | undefined }
  /** The deadline of this state; while `closing`, also that nothing of ours is unanswered any more. */
  | { readonly kind: "due" }
  | { readonly kind: "hinted"; readonly hint: Hint }
  | { readonly kind: "reconnectAsked" }
  | { readonly kind: "closeAsked" };

export type EventKind = ConnectionEvent["kind"];
export type EventOf<Kind extends EventKind> = Extract<ConnectionEvent, { kind: Kind }>;

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
  | { readonly kind: "dropSocket" }
  /** Closes it with 1000 and goes on listening, for CL-8. */
  | { readonly kind: "endSocket" }
  /** `hello` is due: what else belongs in it is the session's to add. */
  | { readonly kind: "greet" }
  | { readonly kind: "ping"; readonly n: number }
  /** One message as JSON. */
  | { readonly kind: "send"; readonly text: string }
  | { readonly kind: "identityChanged" };

/** What a rule works with. `now`: monotonic ms. `out` takes what it asks for, in order. */
export interface StepContext {
  readonly now: number;
  readonly random: Random;
  readonly out: ConnectionEffect[];
}

/** What an event means in a state: it changes the connection in place. */
export type Rule<State extends StateKind, Event extends EventKind> = (
  connection: Connection,
  state: StateOf<State>,
  context: StepContext,
  event: EventOf<Event>,
) => void;

/** What is known before the first attempt. */
export type FirstKnown = Pick<Connection, "usesToken" | "usesCookie" | "serverOffsetMs">;

export function makeConnection(known: FirstKnown): Connection {
  return {
    ...known,
    state: { kind: "idle" },
    unopened: 0,
    attempt: 0,
    tokenRequest: 0,
    startedMs: Number.NEGATIVE_INFINITY,
    failures: 0,
    floorMs: Number.NEGATIVE_INFINITY,
    spreadMs: 0,
    tokenFresh: false,
    refusals: 0,
    tokenFailures: 0,
    faults: 0,
    silences: 0,
    online: true,
    visible: true,
    hintedMs: Number.NEGATIVE_INFINITY,
    manualMs: Number.NEGATIVE_INFINITY,
    isClockKnown: false,
  };
}

/** When a state is to be looked at, monotonic ms; infinity where it waits for others. */
export function connectionDueMs(state: ConnectionState): number {
  const { deadlineMs = Number.POSITIVE_INFINITY } = state;
  return state.kind === "open" ? Math.min(deadlineMs, state.refresh?.atMs ?? deadlineMs) : deadlineMs;
}
