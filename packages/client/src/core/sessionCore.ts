/** The core of a session as a value: its rooms, and what every room may ask of the whole. */
import {
  type AgentIdentity,
  type ErrorCode,
  type HelloAgent,
  type Identity,
  limits,
  type ProtocolError,
  type Random,
  type User,
  uuidv7,
} from "@holdfast/protocol";
import { type Connection, makeConnection } from "./connectionState.ts";
import type { SessionEffect, TimerName } from "./effects.ts";
import { makeOutbox, type Outbox } from "./outbox.ts";
import type { Producer } from "./producer.ts";
import type { Stream } from "./streamState.ts";

export interface SessionCore {
  readonly client: { readonly name: string; readonly version: string };
  readonly instance: string;
  readonly isAgent: boolean;
  connection: Connection;
  readonly streams: Map<string, Stream>;
  /** Subscriber → its stream. */
  readonly subscribers: Map<number, Stream>;
  readonly outbox: Outbox;
  readonly producers: Map<number, Producer>;
  /** The newest acknowledgement of each inbox, the newest signal of each kind, not yet sent. */
  readonly whispers: Map<string, string>;
  subs: number;
  user: User | undefined;
  agent: AgentIdentity | undefined;
  /** What `hello` says of the agent, and whether this connection knows its generation (OP-7). */
  helloAgent: HelloAgent | undefined;
  agentNamed: boolean;
  degraded: { readonly reason: string; readonly since: number } | undefined;
  lostMs: number | undefined;
  welcomes: number;
  longestGapMs: number;
  unknownMessages: number;
  problems: number;
  /** The codes that were told already. */
  readonly toldProblems: Set<ErrorCode>;
  readonly counts: { received: number; applied: number; duplicatesSuppressed: number; gapsRepaired: number };
  readonly timers: Map<TimerName, number>;
}

/** OP-5: whose state and outbox are held from before. */
export function holdIdentity(core: SessionCore, expect: Identity): void {
  core.connection = { ...core.connection, memory: { ...core.connection.memory, expect } };
}

/** What a step works with. `now`: monotonic ms. */
export interface SessionContext {
  readonly now: number;
  readonly random: Random;
  readonly out: SessionEffect[];
}

export interface CoreOptions {
  readonly client: { readonly name: string; readonly version: string };
  readonly instance: string;
  readonly isAgent: boolean;
  readonly usesToken: boolean;
  readonly usesCookie: boolean;
  /** Wall clock minus monotonic, ms: the best guess of the server's clock before the first `welcome`. */
  readonly serverOffsetMs: number;
}

export function makeSessionCore(options: CoreOptions): SessionCore {
  const { client, instance, isAgent } = options;
  return {
    client,
    instance,
    isAgent,
    connection: makeConnection(options),
    streams: new Map(),
    subscribers: new Map(),
    outbox: makeOutbox(),
    producers: new Map(),
    whispers: new Map(),
    subs: 0,
    user: undefined,
    agent: undefined,
    helloAgent: undefined,
    agentNamed: false,
    degraded: undefined,
    lostMs: undefined,
    welcomes: 0,
    longestGapMs: 0,
    unknownMessages: 0,
    problems: 0,
    toldProblems: new Set(),
    counts: { received: 0, applied: 0, duplicatesSuppressed: 0, gapsRepaired: 0 },
    timers: new Map(),
  };
}

/** Whether requests and publishes may go out (OP-5, CL-8). */
export function canSpeak(core: SessionCore): boolean {
  const { state } = core.connection;
  return state.kind === "open" || (state.kind === "closing" && state.phase === "flushing");
}

/** One message of ours, of any shape, as JSON. */
export function send(
  context: Pick<SessionContext, "out">,
  message: { readonly type: string; readonly [field: string]: unknown },
): void {
  context.out.push({ kind: "send", text: JSON.stringify(message) });
}

/** What a call hears when the session can take no more. */
export function refuseCall(context: SessionContext, key: number, error: ProtocolError): void {
  context.out.push({ kind: "settleRequest", key, result: undefined, error });
}

/** The windows that the server granted (AD-5), or the protocol's own before it spoke. */
export function windows(core: SessionCore): {
  readonly requests: number;
  readonly publishBytes: number;
  readonly eventBytes: number;
  readonly frameBytes: number;
} {
  const { state } = core.connection;
  if (state.kind === "open") return state.welcome.limits;
  return {
    requests: limits.requestsUnderWayMax,
    publishBytes: limits.publishUnderWayBytesMax,
    eventBytes: limits.eventBytesMax,
    frameBytes: limits.frameBytesMax,
  };
}

/** A UUID on the server's clock. */
export function makeUuid(core: SessionCore, { now, random }: SessionContext): string {
  return uuidv7(now + core.connection.memory.serverOffsetMs, random.bytes(10));
}
