/** Rules of an open connection: life and silence (section 7), stability (CL-3), fresh tokens (AU-7). */
import { limits, lostClose, readRetryAfter } from "@holdfast/protocol";
import { askToken, isUsable } from "./attempt.ts";
import { tokenDelay } from "./backoff.ts";
import type { Connection, EventOf, OpenState, Refresh, StepContext } from "./connectionState.ts";
import { send } from "./effects.ts";
import { lose, silence } from "./ending.ts";
import { heartbeatDueMs } from "./heartbeat.ts";
import { heartbeatMsMin, heartbeatProvenMs } from "./limits.ts";
import { drop, rememberHint, stop } from "./step.ts";
import { isBetterToken } from "./token.ts";

export function hear(_: Connection, state: OpenState, { now }: StepContext): void {
  // The deadline stays where it is: it can only be early, and looks again (a timer a frame would cost more).
  state.heardMs = now;
  state.awaiting = undefined;
}

export function noteSpread(connection: Connection, _: OpenState, __: StepContext, { message }: EventOf<"pong">): void {
  connection.spreadMs = message.spread ?? connection.spreadMs;
}

export function lookOpen(connection: Connection, state: OpenState, context: StepContext): void {
  const { now } = context;
  if ((state.refresh?.atMs ?? now + 1) <= now) {
    refreshToken(connection, state, context);
    return;
  }
  const { awaiting } = state;
  const isProven = now - state.welcomedMs >= heartbeatProvenMs;
  if (isProven) connection.silences = 0;
  if (awaiting !== undefined && now >= awaiting.deadlineMs) {
    // LV-3: found late, it was we who slept; the answer may be queued already.
    if (!awaiting.isGraced && now - awaiting.deadlineMs > limits.lateTimerMs)
      state.awaiting = { deadlineMs: now + limits.lateTimerGraceMs, isGraced: true };
    else {
      connection.silences += 1;
      lose(connection, state, context, { code: lostClose, reason: silence });
      return;
    }
  } else if (now >= heartbeatDueMs(state)) {
    ping(state, context, isProven ? Math.max(heartbeatMsMin, state.welcome.heartbeat.timeout) : state.timeoutMs);
  }
  state.deadlineMs = heartbeatDueMs(state);
}

/** LV-4: online, waking, becoming visible ask at once and wait 3 s; LV-1: hidden is told at once. */
export function hintOpen(
  connection: Connection,
  state: OpenState,
  context: StepContext,
  event: EventOf<"hinted">,
): void {
  const { visible } = connection;
  rememberHint(connection, state, context, event);
  if (event.hint === "online" || event.hint === "woke") probe(connection, state, context);
  else if (connection.visible !== visible) ping(state, context, visible ? state.timeoutMs : limits.wakePingTimeoutMs);
}

/** Asks at once whether the other side is there; one question at a time is enough. */
export function probe(_: Connection, state: OpenState, context: StepContext): void {
  const { awaiting } = state;
  if (awaiting === undefined || awaiting.deadlineMs > context.now + limits.wakePingTimeoutMs)
    ping(state, context, limits.wakePingTimeoutMs);
}

/** CL-3: failures are forgotten; never on `open`, never on `welcome`. */
export function stabilise(connection: Connection, state: OpenState): void {
  connection.failures = 0;
  connection.refusals = 0;
  connection.faults = 0;
  connection.tokenFresh = false;
  state.stable = true;
}

/** AU-7: the credential ends soon. One question at a time, until the server has taken a better one. */
export function refreshToken(connection: Connection, state: OpenState, context: StepContext): void {
  const { refresh } = state;
  if (!(connection.usesToken || connection.usesCookie) || (refresh !== undefined && refresh.atMs === undefined)) return;
  const { token } = refresh ?? connection;
  state.refresh = { token, request: askToken(connection, context, "expiring", token), atMs: undefined };
}

export function refreshAnswered(
  connection: Connection,
  state: OpenState,
  context: StepContext,
  { request, outcome }: EventOf<"tokenAnswered">,
): void {
  const { refresh } = state;
  if (refresh === undefined || request !== refresh.request) return;
  if (outcome.kind === "signedIn") send(context, { type: "auth" });
  else if (outcome.kind === "signedOut") {
    // A session that is over carries this connection to its announced end, where the server says so (AU-8).
    if (connection.usesCookie) return;
    connection.token = undefined;
    send(context, { type: "leave" });
    drop(state, context);
    stop(connection, "signed_out");
  } else if (
    outcome.kind === "token" &&
    isBetterToken(outcome.token, refresh.token) &&
    isUsable(outcome.token, connection, context.now)
  ) {
    connection.token = outcome.token;
    connection.tokenFresh = true;
    send(context, { type: "auth", token: outcome.token });
  } else refreshLater(connection, refresh, 0, context);
}

export function noteAuthenticated(connection: Connection, state: OpenState): void {
  state.refresh = undefined;
  connection.tokenFailures = 0;
}

export function noteAuthRefused(
  connection: Connection,
  { refresh }: OpenState,
  context: StepContext,
  { retryAfter }: EventOf<"authRefused">,
): void {
  if (refresh !== undefined) refreshLater(connection, refresh, readRetryAfter(retryAfter) ?? 0, context);
}

/** No better one yet: the streams go on until the server ends them (AU-8), and so do the questions. */
function refreshLater(connection: Connection, refresh: Refresh, afterMs: number, { now, random }: StepContext): void {
  refresh.atMs = now + afterMs + limits.refusalsApartMs + tokenDelay(connection.tokenFailures, random);
  connection.tokenFailures += 1;
}

/** A ping goes out now; the deadline of an earlier unanswered one stays where it is sooner. */
function ping(state: OpenState, { now, out }: StepContext, timeoutMs: number): void {
  const { deadlineMs = now + timeoutMs, isGraced = false } = state.awaiting ?? {};
  state.n += 1;
  state.sentMs = now;
  state.awaiting = { deadlineMs: Math.min(deadlineMs, now + timeoutMs), isGraced };
  state.deadlineMs = heartbeatDueMs(state);
  out.push({ kind: "ping", n: state.n });
}
