/** The server's messages, each to the room that it is for. Total over the types of the protocol. */
import {
  type AgentIdentity,
  type ErrorBody,
  type ErrorCode,
  ProtocolError,
  type Refused,
  unreachable,
} from "@holdfast/protocol";
import { ownedAttempt } from "./connectionState.ts";
import { readResponse, retryUnauthenticated } from "./outbox.ts";
import { type ProducerContext, readPublished, readPublishRefused } from "./producer.ts";
import { readMessage } from "./reader.ts";
import { contextOf } from "./rooms.ts";
import { canSpeak, makeUuid, type SessionContext, type SessionCore } from "./sessionCore.ts";
import { readEvents, readPending, readRefused, readSnapshot, readSubscribed } from "./stream.ts";
import { stepThrough } from "./through.ts";

/** One element of a frame of the owned socket. What cannot be read is counted, never obeyed (TR-5). */
export function readServerMessage(
  core: SessionCore,
  event: { readonly attempt: number; readonly value: unknown },
  context: SessionContext,
): void {
  const { attempt } = event;
  if (attempt !== ownedAttempt(core.connection.state)) return;
  const read = readMessage(event.value);
  if (read.kind !== "message") {
    core.unknownMessages += 1;
    return;
  }
  const { message } = read;
  const { now } = context;
  if (message.type === "welcome") {
    stepThrough(core, { kind: "welcomed", attempt, welcome: message, now }, context);
    return;
  }
  if (message.type === "bye") {
    stepThrough(core, { kind: "byeHeard", attempt, bye: message, now }, context);
    return;
  }
  // Nothing else means anything before `welcome`, or after we have said good-bye.
  if (!canSpeak(core)) return;
  const stream = "stream" in message ? core.streams.get(message.stream) : undefined;
  const streamContext = contextOf(core, context);
  switch (message.type) {
    case "pong":
      if (message.spread !== undefined)
        stepThrough(core, { kind: "frameHeard", attempt, spread: message.spread, now }, context);
      return;
    case "expiring":
      stepThrough(core, { kind: "expiring", attempt, now }, context);
      return;
    case "authenticated":
      stepThrough(core, { kind: "authAnswered", attempt, ok: true, retryAfter: undefined, now }, context);
      retryUnauthenticated(core.outbox);
      return;
    case "agent":
      nameAgent(core, { id: message.id, name: message.name, generation: message.generation }, context);
      return;
    case "subscribed":
      if (stream !== undefined) readSubscribed(stream, message, streamContext);
      proveStore(core, false);
      return;
    case "snapshot":
      if (stream !== undefined) readSnapshot(stream, message, streamContext);
      return;
    case "events":
      if (stream !== undefined) readEvents(stream, message, streamContext);
      proveStore(core, (message.events.at(-1)?.at ?? 0) > (core.degraded?.since ?? 0));
      return;
    case "pending":
      core.degraded ??= { reason: message.reason, since: Math.round(now + core.connection.memory.serverOffsetMs) };
      if (stream !== undefined) readPending(stream, message, streamContext);
      return;
    case "signal":
      if (stream !== undefined && message.from !== undefined) {
        const { signal, data, from } = message;
        context.out.push({ kind: "signalHeard", heard: { stream: stream.name, signal, data, from } });
      }
      return;
    case "refused":
      readRefusal(core, message, context);
      return;
    case "response":
      readResponse(core.outbox, message, context);
      proveStore(core, message.error === undefined);
      return;
    case "published":
      for (const producer of core.producers.values()) readPublished(producer, message, producerContext(core, context));
      proveStore(core, true);
      return;
    case "error":
      if (isAnswerToAuth(core, message.code))
        stepThrough(core, { kind: "authAnswered", attempt, ok: false, retryAfter: message.retryAfter, now }, context);
      else noteProblem(core, message, context);
      return;
    default:
      unreachable(message);
      return;
  }
}

function readRefusal(core: SessionCore, message: Refused, context: SessionContext): void {
  if (message.of === "subscribe") {
    const stream = core.streams.get(message.stream);
    if (stream !== undefined) readRefused(stream, message.sub, message.error, contextOf(core, context));
  } else if (message.of === "publish") {
    for (const producer of core.producers.values()) {
      if (producer.uuid === message.producer)
        readPublishRefused(producer, message.sequence, message.error, producerContext(core, context));
    }
  } else noteProblem(core, message.error, context);
}

/** AU-7: the server does not take the credential, or cannot judge it now. */
function isAnswerToAuth(core: SessionCore, code: ErrorCode): boolean {
  const { state } = core.connection;
  return (
    state.kind === "open" && state.refresh !== undefined && (code === "auth_failed" || code === "auth_unavailable")
  );
}

/** TR-4: counted always, told once for each code. */
function noteProblem(core: SessionCore, error: ErrorBody, { out }: SessionContext): void {
  core.problems += 1;
  if (core.toldProblems.has(error.code)) return;
  core.toldProblems.add(error.code);
  out.push({ kind: "problem", error: ProtocolError.fromBody(error) });
}

/** OP-7: told later where the store was down at `welcome`. */
function nameAgent(core: SessionCore, agent: AgentIdentity, context: SessionContext): void {
  core.agent = agent;
  core.agentNamed = true;
  context.out.push({ kind: "agentNamed", agent });
  proveStore(core, true);
}

/** The store works again: nothing waits for it, and it has proved so where `welcome` said that it does not. */
function proveStore(core: SessionCore, proved: boolean): void {
  const { state } = core.connection;
  if (core.degraded === undefined || (state.kind === "open" && state.welcome.degraded === core.degraded && !proved))
    return;
  for (const stream of core.streams.values()) if (stream.pending !== undefined) return;
  core.degraded = undefined;
}

function producerContext(core: SessionCore, context: SessionContext): ProducerContext {
  return { now: context.now, random: context.random, out: context.out, makeUuid: () => makeUuid(core, context) };
}
