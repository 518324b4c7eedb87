/** Rules of an open connection: life and silence (section 7), stability (CL-3), fresh tokens (AU-7). */
import { limits, lostClose, type Random, readRetryAfter } from "@holdfast/protocol";
import { askToken, isUsable } from "./attempt.ts";
import { jittered } from "./backoff.ts";
import type { ConnectionMemory, EventOf, OpenState, Refresh, Step } from "./connectionState.ts";
import { lose, silence } from "./ending.ts";
import { type Heartbeat, heartbeatDueMs } from "./heartbeat.ts";
import { heartbeatMsMin, heartbeatProvenMs } from "./limits.ts";
import { drop, ignore, step, stop, withHint } from "./step.ts";
import { isBetterToken } from "./token.ts";

export function hear(memory: ConnectionMemory, state: OpenState, { now }: EventOf<"frameHeard">): Step {
  // The deadline stays where it is: it can only be early, and looks again (a timer a frame would cost more).
  return step(memory, { ...state, heartbeat: { ...state.heartbeat, heardMs: now, awaiting: undefined } });
}

export function noteSent(memory: ConnectionMemory, state: OpenState, { now }: EventOf<"frameSent">): Step {
  return step(memory, { ...state, heartbeat: { ...state.heartbeat, sentMs: now } });
}

export function noteSpread(memory: ConnectionMemory, state: OpenState, { message }: EventOf<"pong">): Step {
  return step({ ...memory, spreadMs: message.spread ?? memory.spreadMs }, state);
}

export function lookOpen(memory: ConnectionMemory, state: OpenState, { now }: EventOf<"due">, random: Random): Step {
  if ((state.refresh?.atMs ?? now + 1) <= now) return refreshToken(memory, state);
  const { heartbeat } = state;
  const { awaiting } = heartbeat;
  const isProven = now - state.welcomedMs >= heartbeatProvenMs;
  const known = isProven ? { ...memory, silences: 0 } : memory;
  if (awaiting !== undefined && now >= awaiting.deadlineMs) {
    // LV-3: found late, it was we who slept; the answer may be queued already.
    if (!awaiting.isGraced && now - awaiting.deadlineMs > limits.lateTimerMs)
      return beat(known, state, {
        ...heartbeat,
        awaiting: { deadlineMs: now + limits.lateTimerGraceMs, isGraced: true },
      });
    const silent = { ...known, silences: known.silences + 1 };
    return lose(silent, state, { now, code: lostClose, reason: silence }, random);
  }
  if (now < heartbeatDueMs(heartbeat)) return beat(known, state, heartbeat);
  const { timeout } = state.welcome.heartbeat;
  return ping(known, state, now, isProven ? Math.max(heartbeatMsMin, timeout) : heartbeat.timeoutMs);
}

/** LV-4: online, waking, becoming visible ask at once and wait 3 s; LV-1: hidden is told at once. */
export function hintOpen(memory: ConnectionMemory, state: OpenState, event: EventOf<"hinted">): Step {
  const { hint, now } = event;
  const hinted = withHint(memory, event);
  if (hint === "online" || hint === "woke") return probe(hinted, state, event);
  if (hinted.visible === memory.visible) return step(hinted, state);
  return ping(hinted, state, now, hinted.visible ? limits.wakePingTimeoutMs : state.heartbeat.timeoutMs);
}

/** Asks at once whether the other side is there; one question at a time is enough. */
export function probe(memory: ConnectionMemory, state: OpenState, event: EventOf<"hinted" | "reconnectAsked">): Step {
  const { awaiting } = state.heartbeat;
  const deadlineMs = event.now + limits.wakePingTimeoutMs;
  if (awaiting !== undefined && awaiting.deadlineMs <= deadlineMs) return ignore(memory, state);
  return ping(memory, state, event.now, limits.wakePingTimeoutMs);
}

/** CL-3: failures are forgotten; never on `open`, never on `welcome`. */
export function stabilise(memory: ConnectionMemory, state: OpenState): Step {
  return step({ ...memory, failures: 0, refusals: 0, faults: 0, tokenFresh: false }, { ...state, stable: true });
}

/** AU-7: the credential ends soon. One question at a time, until the server has taken a better one. */
export function refreshToken(memory: ConnectionMemory, state: OpenState): Step {
  const before = state.refresh ?? { tries: 0, token: memory.token };
  if (!(memory.usesToken || memory.usesCookie) || (state.refresh !== undefined && state.refresh.atMs === undefined))
    return ignore(memory, state);
  const refresh = { ...before, request: memory.tokenRequest + 1, atMs: undefined };
  return askToken(memory, { ...state, refresh }, "expiring", before.token);
}

export function refreshAnswered(
  memory: ConnectionMemory,
  state: OpenState,
  event: EventOf<"tokenAnswered">,
  random: Random,
): Step {
  const { refresh } = state;
  if (refresh === undefined || event.request !== refresh.request) return ignore(memory, state);
  const { outcome, now } = event;
  if (outcome.kind === "signedIn") return step(memory, state, { kind: "authenticate", token: undefined });
  if (outcome.kind === "signedOut") {
    // A session that is over carries this connection to its announced end, where the server says so (AU-8).
    if (memory.usesCookie) return ignore(memory, state);
    return stop({ ...memory, token: undefined }, "signed_out", { kind: "leave" }, ...drop(state));
  }
  if (outcome.kind === "token" && isBetterToken(outcome.token, refresh.token) && isUsable(outcome.token, memory, now)) {
    const known = { ...memory, token: outcome.token, tokenFresh: true };
    return step(known, state, { kind: "authenticate", token: outcome.token });
  }
  return refreshLater(memory, state, refresh, now, random);
}

export function noteAuthenticated(memory: ConnectionMemory, state: OpenState): Step {
  return step(memory, { ...state, refresh: undefined });
}

export function noteAuthRefused(
  memory: ConnectionMemory,
  state: OpenState,
  { now, retryAfter }: EventOf<"authRefused">,
  random: Random,
): Step {
  const { refresh } = state;
  if (refresh === undefined) return ignore(memory, state);
  return refreshLater(memory, state, refresh, now + (readRetryAfter(retryAfter) ?? 0), random);
}

/** No better one yet: the streams go on until the server ends them (AU-8), and so do the questions. */
function refreshLater(
  memory: ConnectionMemory,
  state: OpenState,
  refresh: Refresh,
  fromMs: number,
  random: Random,
): Step {
  const atMs = fromMs + limits.refusalsApartMs + jittered(refresh.tries, random);
  return step(memory, { ...state, refresh: { ...refresh, tries: refresh.tries + 1, atMs } });
}

/** A ping goes out now; the deadline of an earlier unanswered one stays where it is sooner. */
function ping(memory: ConnectionMemory, state: OpenState, now: number, timeoutMs: number): Step {
  const { heartbeat } = state;
  const { deadlineMs = now + timeoutMs, isGraced = false } = heartbeat.awaiting ?? {};
  const n = heartbeat.n + 1;
  const awaiting = { deadlineMs: Math.min(deadlineMs, now + timeoutMs), isGraced };
  const pinged = beat(memory, state, { ...heartbeat, n, sentMs: now, awaiting });
  return { ...pinged, effects: [{ kind: "ping", n, visible: memory.visible }] };
}

function beat(memory: ConnectionMemory, state: OpenState, heartbeat: Heartbeat): Step {
  return step(memory, { ...state, heartbeat, deadlineMs: heartbeatDueMs(heartbeat) });
}
