/** The server's messages, each to the room that it is for. Total over the types of the protocol. */
import type { ErrorCode, ServerMessage } from "@holdfast/protocol";
import type { ConnectionEvent } from "./connectionState.ts";
import { readResponse, retryUnauthenticated } from "./outbox.ts";
import { readMessage } from "./reader.ts";
import { canSpeak, noteProblem, type SessionContext, type SessionCore } from "./sessionCore.ts";
import { makeStream } from "./stream.ts";
import { readEvents, readPending, readRefused, readSnapshot, readSubscribed } from "./streamReading.ts";
import { refreshStatus } from "./subscriber.ts";
import { stepThrough } from "./through.ts";

/** One element of a frame of the owned socket. What cannot be read is counted, never obeyed (TR-5). */
export function readServerMessage(
  core: SessionCore,
  { attempt, value }: { readonly attempt: number; readonly value: unknown },
  context: SessionContext,
): void {
  if (attempt !== core.connection.state.attempt) return;
  const message = readMessage(value, core.room?.checks);
  if (message === undefined) {
    core.counts.unknownMessages += 1;
    return;
  }
  switch (message.type) {
    case "welcome":
    case "bye":
    case "pong":
    case "expiring":
    case "authenticated":
      stepThrough(core, { kind: message.type, attempt, message } as ConnectionEvent, context);
      if (message.type === "authenticated") retryUnauthenticated(core.outbox);
      if (message.type !== "pong") return;
      if (message.degraded) missStore(core, context);
      else proveStore(core, true);
      return;
    default:
      // Nothing else means anything before `welcome`, or after we have said good-bye.
      if (canSpeak(core)) hear(core, attempt, message, context);
  }
}

type OfConnection = "welcome" | "bye" | "pong" | "expiring" | "authenticated";
type Heard = Exclude<ServerMessage, { type: OfConnection }>;

function hear(core: SessionCore, attempt: number, message: Heard, context: SessionContext): void {
  const read = "stream" in message ? core.streams.get(message.stream) : undefined;
  // What is said of a stream that nobody reads any more changes nothing.
  const stream = read ?? makeStream("");
  switch (message.type) {
    case "subscribed":
      readSubscribed(stream, message, context);
      proveStore(core, false);
      break;
    case "snapshot":
      readSnapshot(stream, message, context);
      break;
    case "events":
      readEvents(stream, message, context);
      proveStore(core, (message.events.at(-1)?.at ?? 0) > (core.degraded?.since ?? 0));
      break;
    case "pending":
      core.degraded ??= absence(core, message.reason, context);
      readPending(stream, message);
      break;
    case "signal": {
      const { stream, signal, data, from } = message;
      if (read === undefined || from === undefined) return;
      const heard = { stream, signal, data, from };
      context.out.push({ kind: "tell", tell: () => core.listeners.signal(heard) });
      return;
    }
    case "refused":
      if (message.of === "subscribe") readRefused(stream, message.sub, message.error, context);
      else if (message.of === "signal") noteProblem(core, message.error, context);
      else core.room?.read(core, message, context);
      break;
    case "response":
      readResponse(core.outbox, message, context);
      proveStore(core, message.error === undefined);
      break;
    case "error":
      if (isAnswerToAuth(core, message.code))
        stepThrough(core, { kind: "authRefused", attempt, retryAfter: message.retryAfter }, context);
      else noteProblem(core, message, context);
      break;
    // `agent` and `published`: a room takes no other.
    default:
      core.room?.read(core, message, context);
      proveStore(core, true);
  }
  refreshStatus(stream, context.out);
}

/** AU-7: the server does not take the credential, or cannot judge it now. */
function isAnswerToAuth(core: SessionCore, code: ErrorCode): boolean {
  const { state } = core.connection;
  return (
    state.kind === "open" && state.refresh !== undefined && (code === "auth_failed" || code === "auth_unavailable")
  );
}

function absence(core: SessionCore, reason: string, { now }: SessionContext): NonNullable<SessionCore["degraded"]> {
  return { reason, since: Math.round(now + core.connection.serverOffsetMs) };
}

/** The node says that its store is away (LV-1): as if `welcome` had said it. */
function missStore(core: SessionCore, context: SessionContext): void {
  const { state } = core.connection;
  if (core.degraded !== undefined || state.kind !== "open") return;
  core.degraded = absence(core, "store_unavailable", context);
  state.welcome.degraded = core.degraded;
}

/** The store works again: nothing waits for it, and it has proved so where the node said that it does not. */
function proveStore(core: SessionCore, proved: boolean): void {
  const { state } = core.connection;
  if (core.degraded === undefined || (state.kind === "open" && state.welcome.degraded === core.degraded && !proved))
    return;
  for (const stream of core.streams.values()) if (stream.pending !== undefined) return;
  core.degraded = undefined;
}
