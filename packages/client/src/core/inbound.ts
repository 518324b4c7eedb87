/** The server's messages, each to the room that it is for. Total over the types of the protocol. */
import type { ErrorCode, ServerMessage } from "@holdfast/protocol";
import { type ConnectionEvent, ownedAttempt } from "./connectionState.ts";
import { readResponse, retryUnauthenticated } from "./outbox.ts";
import { readMessage } from "./reader.ts";
import { canSpeak, noteProblem, type SessionContext, type SessionCore } from "./sessionCore.ts";
import { readEvents, readPending, readRefused, readSnapshot, readSubscribed } from "./streamReading.ts";
import { stepThrough } from "./through.ts";

/** One element of a frame of the owned socket. What cannot be read is counted, never obeyed (TR-5). */
export function readServerMessage(
  core: SessionCore,
  { attempt, value }: { readonly attempt: number; readonly value: unknown },
  context: SessionContext,
): void {
  if (attempt !== ownedAttempt(core.connection.state)) return;
  const message = readMessage(value, core.room?.checks);
  if (message === undefined) core.counts.unknownMessages += 1;
  else hear(core, attempt, message, context);
}

function hear(core: SessionCore, attempt: number, message: ServerMessage, context: SessionContext): void {
  switch (message.type) {
    case "welcome":
    case "bye":
    case "pong":
    case "expiring":
    case "authenticated":
      stepThrough(core, { kind: message.type, attempt, message } as ConnectionEvent, context);
      if (message.type === "authenticated") retryUnauthenticated(core.outbox);
      if (message.type === "pong") proveStore(core, message.degraded === undefined);
      return;
    default:
      // Nothing else means anything before `welcome`, or after we have said good-bye.
      if (canSpeak(core)) hearMore(core, attempt, message, context);
  }
}

type OfConnection = "welcome" | "bye" | "pong" | "expiring" | "authenticated";

function hearMore(
  core: SessionCore,
  attempt: number,
  message: Exclude<ServerMessage, { type: OfConnection }>,
  context: SessionContext,
): void {
  const { now } = context;
  const stream = "stream" in message ? core.streams.get(message.stream) : undefined;
  switch (message.type) {
    case "subscribed":
      if (stream !== undefined) readSubscribed(stream, message, context);
      proveStore(core, false);
      return;
    case "snapshot":
      if (stream !== undefined) readSnapshot(stream, message, context);
      return;
    case "events":
      if (stream !== undefined) readEvents(stream, message, context);
      proveStore(core, (message.events.at(-1)?.at ?? 0) > (core.degraded?.since ?? 0));
      return;
    case "pending":
      core.degraded ??= { reason: message.reason, since: Math.round(now + core.connection.serverOffsetMs) };
      if (stream !== undefined) readPending(stream, message, context);
      return;
    case "signal":
      if (stream !== undefined && message.from !== undefined) {
        const { signal, data, from } = message;
        const heard = { stream: stream.name, signal, data, from };
        context.out.push({ kind: "tell", tell: () => core.listeners.signal(heard) });
      }
      return;
    case "refused":
      if (message.of === "signal") noteProblem(core, message.error, context);
      else if (message.of === "publish") core.room?.read(core, message, context);
      else if (stream !== undefined) readRefused(stream, message.sub, message.error, context);
      return;
    case "response":
      readResponse(core.outbox, message, context);
      proveStore(core, message.error === undefined);
      return;
    case "error":
      if (isAnswerToAuth(core, message.code))
        stepThrough(core, { kind: "authRefused", attempt, retryAfter: message.retryAfter }, context);
      else noteProblem(core, message, context);
      return;
    // `agent` and `published`: a room takes no other.
    default:
      core.room?.read(core, message, context);
      proveStore(core, true);
  }
}

/** AU-7: the server does not take the credential, or cannot judge it now. */
function isAnswerToAuth(core: SessionCore, code: ErrorCode): boolean {
  const { state } = core.connection;
  return (
    state.kind === "open" && state.refresh !== undefined && (code === "auth_failed" || code === "auth_unavailable")
  );
}

/** The store works again: nothing waits for it, and it has proved so where `welcome` said that it does not. */
function proveStore(core: SessionCore, proved: boolean): void {
  const { state } = core.connection;
  if (core.degraded === undefined || (state.kind === "open" && state.welcome.degraded === core.degraded && !proved))
    return;
  for (const stream of core.streams.values()) if (stream.pending !== undefined) return;
  core.degraded = undefined;
}
