/**
 * Rules before a socket: when an attempt may start, and with which token (CL-3, CL-4, CL-5, CL-7).
 *
 * Whatever wakes the session (a timer, a hint, a person, a token) comes through `beginAttempt`, which
 * defers what comes too early and never drops it (X13), so there is one owner of attempts (F08).
 */
import { limits } from "@holdfast/protocol";
import { jittered, slowDelay, tokenDelay } from "./backoff.ts";
import type { Connection, ConnectionState, EventOf, StateOf, StepContext, TokenReason } from "./connectionState.ts";
import { hintedAttemptsApartMs, openingTimeoutMs } from "./limits.ts";
import { drop, earliestMs, rememberHint, stop, wait } from "./step.ts";
import { isBetterToken, tokenEndsMs } from "./token.ts";

export function beginAttempt(connection: Connection, state: ConnectionState, context: StepContext): void {
  const { now } = context;
  const { rejectedToken, token } = connection;
  const earliest = earliestMs(connection, now);
  if (now < earliest) wait(connection, earliest, state.kind === "waiting" ? state.reason : "too soon");
  else if (connection.usesToken ? isUsable(token, connection, now) : rejectedToken === undefined)
    openSocket(connection, context);
  else
    authenticate(
      connection,
      context,
      rejectedToken !== undefined ? "rejected" : token !== undefined ? "expiring" : "first",
    );
}

export function answerToken(
  connection: Connection,
  state: StateOf<"authenticating">,
  context: StepContext,
  { request, outcome }: EventOf<"tokenAnswered">,
): void {
  if (request !== state.request) return;
  const { now, random } = context;
  switch (outcome.kind) {
    case "signedOut":
      connection.token = undefined;
      connection.rejectedToken = undefined;
      connection.refusals = 0;
      stop(connection, "signed_out");
      return;
    case "signedIn":
      // The cookie is somebody's: another one than before, or this server will say no again (CL-2).
      connection.tokenFailures = 0;
      connection.rejectedToken = undefined;
      waitRefused(connection, context);
      return;
    case "refused":
    case "unreachable": {
      const delayMs = tokenDelay(connection.tokenFailures, random);
      connection.tokenFailures += 1;
      wait(connection, now + delayMs, "auth_unavailable");
      return;
    }
    case "token":
      connection.tokenFailures = 0;
      if (!isBetterToken(outcome.token, connection.rejectedToken) || !isUsable(outcome.token, connection, now)) {
        refuse(connection, context);
        return;
      }
      connection.token = outcome.token;
      connection.tokenFresh = true;
      allowOneMore(connection);
      beginAttempt(connection, state, context);
  }
}

/** CL-10: what HTTP could tell of sockets that do not open. */
export function explainUnopened(
  connection: Connection,
  state: StateOf<"waiting" | "connecting">,
  context: StepContext,
  { request, outcome }: EventOf<"tokenAnswered">,
): void {
  if (request !== connection.tokenRequest) return;
  if (outcome.kind === "signedOut" && connection.usesCookie) {
    drop(state, context);
    stop(connection, "signed_out");
  }
  if (outcome.kind !== "refused" && outcome.kind !== "unreachable") return;
  connection.unopenedWhy = outcome.kind === "refused" ? "origin refused" : "server unreachable";
  if (state.kind === "waiting") state.reason = connection.unopenedWhy;
}

/** CL-2: a freshly obtained token was refused, by the server or at first sight. */
export function refuse(connection: Connection, context: StepContext): void {
  connection.token = undefined;
  connection.tokenFresh = false;
  connection.refusals += 1;
  if (connection.refusals >= limits.refusalsOfFreshTokenMax) stop(connection, "auth_failed");
  // Whether there is another: that alone tells a session that ended from one that is refused. Until that is known there is no attempt (CL-7).
  else if (connection.usesCookie) {
    connection.rejectedToken = "";
    authenticate(connection, context, "rejected");
  } else waitRefused(connection, context);
}

/** CL-5: `online` brings one attempt forward; `offline` turns the wait into probes. */
export function hintWaiting(
  connection: Connection,
  state: StateOf<"waiting">,
  context: StepContext,
  event: EventOf<"hinted">,
): void {
  const { now, random } = context;
  if (event.hint === "offline" && connection.online)
    state.deadlineMs = Math.max(state.deadlineMs, now + slowDelay(random));
  else if (event.hint === "online" && now >= connection.hintedMs) {
    const soonest = Math.max(now + random.fraction() * limits.onlineJitterMs, earliestMs(connection, now));
    connection.hintedMs = soonest + hintedAttemptsApartMs;
    state.deadlineMs = Math.min(state.deadlineMs, soonest);
  }
  rememberHint(connection, state, context, event);
}

/** CL-4: only a person passes the floor, once in 5 s. */
export function reconnectNow(
  connection: Connection,
  state: StateOf<"waiting" | "stopped">,
  context: StepContext,
): void {
  const { now } = context;
  if (now - connection.manualMs < limits.manualReconnectApartMs) return;
  connection.manualMs = now;
  connection.floorMs = now;
  if (state.kind === "stopped") {
    // Whatever stopped it may be over; without a token of its own there is one attempt before it is refused again.
    connection.faults = 0;
    if (!connection.usesToken) allowOneMore(connection);
  }
  beginAttempt(connection, state, context);
}

/** A token that ends within 5 s would only be refused (CL-7). */
export function isUsable(token: string | undefined, connection: Connection, now: number): token is string {
  if (token === undefined) return false;
  const endsMs = tokenEndsMs(token);
  if (endsMs === undefined || !connection.isClockKnown) return true;
  return endsMs - (now + connection.serverOffsetMs) >= limits.tokenUsableMsMin;
}

/** Asks for a credential better than `old`, or why there is none. Returns what tells the answer. */
export function askToken(
  connection: Connection,
  { out }: StepContext,
  why: TokenReason,
  old: string | undefined = connection.rejectedToken ?? connection.token,
): number {
  connection.tokenRequest += 1;
  const request = connection.tokenRequest;
  out.push({ kind: "askToken", request, why, old });
  return request;
}

function authenticate(connection: Connection, context: StepContext, why: TokenReason): void {
  connection.state = { kind: "authenticating", request: askToken(connection, context, why) };
}

function waitRefused(connection: Connection, { now, random }: StepContext): void {
  const delayMs = limits.refusalsApartMs + jittered(connection.refusals - 1, random);
  wait(connection, now + delayMs, "auth_failed");
}

/** A different token after the last refusal, or a person's word, gets one attempt (CL-2). */
function allowOneMore(connection: Connection): void {
  connection.refusals = Math.min(connection.refusals, limits.refusalsOfFreshTokenMax - 1);
}

function openSocket(connection: Connection, { now, out }: StepContext): void {
  connection.attempt += 1;
  connection.startedMs = now;
  const { attempt } = connection;
  connection.state = { kind: "connecting", attempt, deadlineMs: now + openingTimeoutMs };
  out.push({ kind: "openSocket", attempt });
}
