/** Rules of an open connection: life and silence (section 7), stability (CL-3), fresh tokens (AU-7). */
import { limits, type Random, readRetryAfter } from "@holdfast/protocol";
import { isUsable } from "./attempt.ts";
import { jittered } from "./backoff.ts";
import type { ConnectionMemory, EventOf, OpenState, Refresh, Step } from "./connectionState.ts";
import { lose } from "./ending.ts";
import { heard, heartbeatDueMs, judgeHeartbeat, pinged } from "./heartbeat.ts";
import { heartbeatMsMin, heartbeatProvenMs } from "./limits.ts";
import { ignore, step, stop, withHint } from "./step.ts";
import { isBetterToken } from "./token.ts";

export function hear(memory: ConnectionMemory, state: OpenState, event: EventOf<"frameHeard">): Step {
  // The timer stays where it is: it can only be early, and looks again (a timer a frame would cost more).
  return step(
    { ...memory, spreadMs: event.spread ?? memory.spreadMs },
    { ...state, heartbeat: heard(state.heartbeat, event.now) },
  );
}

export function noteSent(memory: ConnectionMemory, state: OpenState, event: EventOf<"frameSent">): Step {
  return step(memory, { ...state, heartbeat: { ...state.heartbeat, sentMs: event.now } });
}

export function judgeSilence(
  memory: ConnectionMemory,
  state: OpenState,
  event: EventOf<"heartbeatDue">,
  random: Random,
): Step {
  const proven = event.now - state.welcomedMs >= heartbeatProvenMs;
  const known = proven ? { ...memory, silences: 0 } : memory;
  const verdict = judgeHeartbeat(state.heartbeat, event.now);
  switch (verdict.kind) {
    case "early":
      return step(known, { ...state, heartbeatAtMs: heartbeatDueMs(state.heartbeat) });
    case "ping":
      return ping(
        known,
        state,
        event.now,
        proven ? Math.max(heartbeatMsMin, state.welcome.heartbeat.timeout) : state.heartbeat.timeoutMs,
      );
    case "graced":
      return step(known, { ...state, heartbeat: verdict.heartbeat, heartbeatAtMs: heartbeatDueMs(verdict.heartbeat) });
    case "dead":
      return lose(
        { ...known, silences: known.silences + 1 },
        state,
        { now: event.now, code: 1006, reason: "no pong" },
        random,
      );
  }
}

/** LV-4: online, waking, becoming visible ask at once and wait 3 s; LV-1: hidden is told at once. */
export function hintOpen(memory: ConnectionMemory, state: OpenState, event: EventOf<"hinted">): Step {
  const hinted = withHint(memory, event);
  switch (event.hint) {
    case "offline":
      return step(hinted, state);
    case "hidden":
      return memory.visible ? ping(hinted, state, event.now, state.heartbeat.timeoutMs) : step(hinted, state);
    case "visible":
      return memory.visible ? step(hinted, state) : ping(hinted, state, event.now, limits.wakePingTimeoutMs);
    case "online":
    case "woke":
      return probe(hinted, state, event);
  }
}

/** Asks at once whether the other side is there; one question at a time is enough. */
export function probe(memory: ConnectionMemory, state: OpenState, event: EventOf<"hinted" | "reconnectAsked">): Step {
  const { awaiting } = state.heartbeat;
  const deadlineMs = event.now + limits.wakePingTimeoutMs;
  if (awaiting !== undefined && awaiting.deadlineMs <= deadlineMs) return ignore(memory, state);
  return ping(memory, state, event.now, limits.wakePingTimeoutMs);
}

export function noteSettled(memory: ConnectionMemory, state: OpenState, event: EventOf<"settled">): Step {
  return stabilise(memory, { ...state, settled: event.all }, event);
}

/** CL-3: failures are forgotten 10 s after `welcome`, once every subscription settled; never on `open`. */
export function stabilise(memory: ConnectionMemory, state: OpenState, event: EventOf<"stableDue" | "settled">): Step {
  if (state.stable || !state.settled || event.now - state.welcomedMs < limits.stableAfterMs) return step(memory, state);
  return step({ ...memory, failures: 0, refusals: 0, faults: 0, tokenFresh: false }, { ...state, stable: true });
}

/** AU-7: the credential ends soon. One question at a time, until the server has taken a better one. */
export function refreshToken(memory: ConnectionMemory, state: OpenState): Step {
  const before = state.refresh ?? { tries: 0, token: memory.token };
  if (!(memory.usesToken || memory.usesCookie) || (state.refresh !== undefined && state.refresh.atMs === undefined))
    return ignore(memory, state);
  const request = memory.tokenRequest + 1;
  const refresh = { ...before, request, atMs: undefined };
  return step(
    { ...memory, tokenRequest: request },
    { ...state, refresh },
    { kind: "askToken", request, why: "expiring", old: before.token },
  );
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
    return stop(
      { ...memory, token: undefined },
      "signed_out",
      { kind: "leave" },
      { kind: "dropSocket", attempt: state.attempt },
    );
  }
  if (outcome.kind === "token" && isBetterToken(outcome.token, refresh.token) && isUsable(outcome.token, memory, now)) {
    const known = { ...memory, token: outcome.token, tokenFresh: true };
    return step(known, state, { kind: "authenticate", token: outcome.token });
  }
  return refreshLater(memory, state, refresh, now, random);
}

export function noteAuthenticated(
  memory: ConnectionMemory,
  state: OpenState,
  event: EventOf<"authAnswered">,
  random: Random,
): Step {
  if (event.ok || state.refresh === undefined) return step(memory, { ...state, refresh: undefined });
  return refreshLater(memory, state, state.refresh, event.now + (readRetryAfter(event.retryAfter) ?? 0), random);
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

function ping(memory: ConnectionMemory, state: OpenState, now: number, timeoutMs: number): Step {
  const heartbeat = pinged(state.heartbeat, now, timeoutMs);
  const next = { ...state, heartbeat, heartbeatAtMs: heartbeatDueMs(heartbeat) };
  return step(memory, next, { kind: "ping", n: heartbeat.n, visible: memory.visible });
}
