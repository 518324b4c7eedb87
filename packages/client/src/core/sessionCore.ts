/** The core of a session as a value: its rooms, and what every room may ask of the whole. */
import {
  type ErrorBody,
  type Identity,
  ProtocolError,
  type Random,
  type ServerMessage,
  type User,
  type Welcome,
} from "@holdfast/protocol";
import type { HeardSignal } from "../api.ts";
import { type Connection, type FirstKnown, makeConnection } from "./connectionState.ts";
import { type DisplayLag, makeDisplayLag } from "./displayLag.ts";
import type { SessionEffect } from "./effects.ts";
import type { Outbox } from "./outbox.ts";
import type { Checks, RoomMessage } from "./reader.ts";
import type { Counts, Stream } from "./streamState.ts";

export interface SessionCore {
  readonly client: { readonly name: string; readonly version: string };
  readonly instance: string;
  /** What the program hears of the whole. */
  readonly listeners: SessionListeners;
  readonly room: Room | undefined;
  readonly connection: Connection;
  readonly streams: Map<string, Stream>;
  readonly outbox: Outbox;
  /** The newest signal of each kind, the newest acknowledgement of each inbox, not yet sent. */
  readonly whispers: Map<string, string>;
  subs: number;
  user?: User | undefined;
  degraded?: { readonly reason: string; readonly since: number } | undefined;
  /** Since when no connection is open that was. */
  lostMs?: number | undefined;
  readonly counts: Counts;
  readonly lag: DisplayLag;
  /** When the server was told the figures last (ST-16). */
  reportedMs: number;
  /** The codes that were told already. */
  readonly toldProblems: Set<string>;
}

/**
 * A room that an entry of this package adds beside streams and outbox.
 *
 * What lives in it outlives connections: it is told of each welcome, each loss and the end, and speaks whenever
 * requests may be said. A plain session has none, and carries none of its code.
 */
export interface Room {
  /** What `hello` says besides (OP-2). */
  hello(): Readonly<Record<string, unknown>>;
  /** The types of message that only it hears, and the shape of each. */
  readonly checks: Checks;
  /** A message of one of these types, or a publish that was refused. */
  read(
    core: SessionCore,
    message: Extract<ServerMessage, { type: RoomMessage | "refused" }>,
    context: SessionContext,
  ): void;
  /** OP-7: false while requests and publishes must wait, although the connection is open. */
  readonly maySpeak: boolean;
  welcomed(core: SessionCore, welcome: Welcome, context: SessionContext): void;
  /** Says what it has to say. */
  flush(core: SessionCore, context: SessionContext): void;
  /** The socket is gone. */
  lose(): void;
  /** Nothing of it goes on: it is another user's (OP-5), or the session is closed. */
  abandon(why: ProtocolError, context: SessionContext): void;
  /** CL-8: something of it is still to be answered. */
  readonly isBusy: boolean;
  /** When to look again, monotonic ms. */
  readonly dueMs: number | undefined;
  due(now: number): void;
}

export interface SessionListeners {
  /** TR-4: the first of its code. */
  problem(error: ProtocolError): void;
  /** OP-5: the application must drop all state of the former user. */
  identityChanged(): void;
  signal(heard: HeardSignal): void;
}

/** OP-5: whose state and outbox are held from before. */
export function holdIdentity(core: SessionCore, expect: Identity): void {
  core.connection.expect = expect;
}

/** What a step works with. `now`: monotonic ms. */
export interface SessionContext {
  readonly now: number;
  readonly random: Random;
  readonly out: SessionEffect[];
  readonly counts: Pick<Counts, "received" | "applied" | "duplicatesSuppressed" | "gapsRepaired">;
}

export type CoreOptions = Pick<SessionCore, "client" | "instance" | "listeners" | "room">;

export function makeSessionCore(options: CoreOptions, known: FirstKnown): SessionCore {
  return {
    ...options,
    connection: makeConnection(known),
    streams: new Map(),
    outbox: { entries: new Map() },
    whispers: new Map(),
    subs: 0,
    counts: {
      received: 0,
      applied: 0,
      duplicatesSuppressed: 0,
      gapsRepaired: 0,
      reconnects: 0,
      longestGapMs: 0,
      unknownMessages: 0,
      problems: 0,
    },
    lag: makeDisplayLag(),
    reportedMs: 0,
    toldProblems: new Set(),
  };
}

/** Whether subscriptions, requests and publishes may go out (OP-5, CL-8). */
export function canSpeak(core: SessionCore): boolean {
  const { state } = core.connection;
  return state.kind === "open" || (state.kind === "closing" && state.phase === "flushing");
}

/** TR-4: counted always, told once for each code. */
export function noteProblem(core: SessionCore, error: ErrorBody, { out }: SessionContext): void {
  core.counts.problems += 1;
  if (core.toldProblems.has(error.code)) return;
  core.toldProblems.add(error.code);
  out.push({ kind: "tell", tell: () => core.listeners.problem(ProtocolError.fromBody(error)) });
}
