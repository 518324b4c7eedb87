/**
 * Rules before a socket: when an attempt may start, and with which token (CL-3, CL-4, CL-5, CL-7).
 *
 * Whatever wakes the session (a timer, a hint, a person, a token) comes through `beginAttempt`, which
 * defers what comes too early and never drops it (X13), so there is one owner of attempts (F08).
 */
import { limits, type Random } from "@holdfast/protocol";
import { jittered, slowDelay } from "./backoff.ts";
import type {
  ConnectionEvent,
  ConnectionMemory,
  ConnectionState,
  EventOf,
  StateOf,
  Step,
  TokenReason,
} from "./connectionState.ts";
import { hintedAttemptsApartMs, openingTimeoutMs } from "./limits.ts";
import { drop, earliestMs, ignore, step, stop, wait, withHint } from "./step.ts";
import { isBetterToken, tokenEndsMs } from "./token.ts";

export function beginAttempt(memory: ConnectionMemory, state: ConnectionState, event: ConnectionEvent): Step {
  const earliest = earliestMs(memory, event);
  if (event.now < earliest) return wait(memory, earliest, state.kind === "waiting" ? state.reason : "too soon");
  if (!memory.usesToken || isUsable(memory.token, memory, event.now)) return openSocket(memory, event.now);
  const { rejectedToken, token } = memory;
  return askToken(
    memory,
    undefined,
    rejectedToken !== undefined ? "rejected" : token !== undefined ? "expiring" : "first",
  );
}

export function answerToken(
  memory: ConnectionMemory,
  state: StateOf<"authenticating">,
  event: EventOf<"tokenAnswered">,
  random: Random,
): Step {
  if (event.request !== state.request) return ignore(memory, state);
  const { outcome } = event;
  switch (outcome.kind) {
    case "signedOut":
      return stop({ ...memory, token: undefined, rejectedToken: undefined, refusals: 0 }, "signed_out");
    case "signedIn":
      // The cookie is somebody's: another one than before, or this server will say no again (CL-2).
      return wait(memory, event.now + limits.refusalsApartMs + jittered(memory.refusals - 1, random), "auth_failed");
    case "refused":
    case "unreachable": {
      const failures = memory.tokenFailures;
      const delayMs = failures >= limits.failuresBeforeSlow ? slowDelay(random) : jittered(failures, random);
      return wait({ ...memory, tokenFailures: failures + 1 }, event.now + delayMs, "auth_unavailable");
    }
    case "token": {
      const known = { ...memory, tokenFailures: 0 };
      if (!isBetterToken(outcome.token, memory.rejectedToken) || !isUsable(outcome.token, memory, event.now))
        return refuse(known, event.now, random);
      // A different token after the last refusal gets one attempt (CL-2).
      const refusals = Math.min(memory.refusals, limits.refusalsOfFreshTokenMax - 1);
      return beginAttempt({ ...known, token: outcome.token, tokenFresh: true, refusals }, state, event);
    }
  }
}

/** CL-10: what HTTP could tell of sockets that do not open. */
export function explainUnopened(
  memory: ConnectionMemory,
  state: StateOf<"waiting" | "connecting">,
  { request, outcome }: EventOf<"tokenAnswered">,
): Step {
  if (request !== memory.tokenRequest) return ignore(memory, state);
  if (outcome.kind === "signedOut" && memory.usesCookie) return stop(memory, "signed_out", ...drop(state));
  if (outcome.kind !== "refused" && outcome.kind !== "unreachable") return ignore(memory, state);
  const reason = outcome.kind === "refused" ? "origin refused" : "server unreachable";
  return step({ ...memory, unopenedWhy: reason }, state.kind === "waiting" ? { ...state, reason } : state);
}

/** CL-2: a freshly obtained token was refused, by the server or at first sight. */
export function refuse(memory: ConnectionMemory, now: number, random: Random): Step {
  const counted = { ...memory, token: undefined, tokenFresh: false, refusals: memory.refusals + 1 };
  if (counted.refusals >= limits.refusalsOfFreshTokenMax) return stop(counted, "auth_failed");
  // Who is signed in, if anybody: that alone tells a session that ended from one that is refused.
  if (memory.usesCookie) return askToken(counted, undefined, "rejected");
  return wait(counted, now + limits.refusalsApartMs + jittered(memory.refusals, random), "auth_failed");
}

/** CL-5: `online` brings one attempt forward; `offline` turns the wait into probes. */
export function hintWaiting(
  memory: ConnectionMemory,
  state: StateOf<"waiting">,
  event: EventOf<"hinted">,
  random: Random,
): Step {
  const hinted = withHint(memory, event);
  if (event.hint === "offline" && memory.online)
    return wait(hinted, Math.max(state.deadlineMs, event.now + slowDelay(random)), state.reason);
  if (event.hint !== "online" || event.now < memory.hintedMs) return step(hinted, state);
  const soonest = Math.max(event.now + random.fraction() * limits.onlineJitterMs, earliestMs(memory, event));
  return wait(
    { ...hinted, hintedMs: soonest + hintedAttemptsApartMs },
    Math.min(state.deadlineMs, soonest),
    state.reason,
  );
}

/** CL-4: only a person passes the floor, once in 5 s. */
export function reconnectNow(
  memory: ConnectionMemory,
  state: StateOf<"waiting" | "stopped">,
  event: EventOf<"reconnectAsked">,
): Step {
  const { now } = event;
  if (now - memory.manualMs < limits.manualReconnectApartMs) return ignore(memory, state);
  const asked = { ...memory, manualMs: now, floorMs: now };
  if (state.kind === "waiting") return beginAttempt(asked, state, event);
  // Whatever stopped it may be over; without a token of its own there is one attempt before it is refused again.
  const refusals = memory.usesToken ? memory.refusals : Math.min(memory.refusals, limits.refusalsOfFreshTokenMax - 1);
  return beginAttempt({ ...asked, faults: 0, refusals }, state, event);
}

/** A token that ends within 5 s would only be refused (CL-7). */
export function isUsable(token: string | undefined, memory: ConnectionMemory, now: number): token is string {
  if (token === undefined) return false;
  const endsMs = tokenEndsMs(token);
  if (endsMs === undefined || !memory.isClockKnown) return true;
  return endsMs - (now + memory.serverOffsetMs) >= limits.tokenUsableMsMin;
}

/** Asks for a credential better than `old`, or why there is none; `state` awaits the answer. */
export function askToken(
  memory: ConnectionMemory,
  state: ConnectionState | undefined,
  why: TokenReason,
  old: string | undefined = memory.rejectedToken ?? memory.token,
): Step {
  const request = memory.tokenRequest + 1;
  return step({ ...memory, tokenRequest: request }, state ?? { kind: "authenticating", request }, {
    kind: "askToken",
    request,
    why,
    old,
  });
}

function openSocket(memory: ConnectionMemory, now: number): Step {
  const attempt = memory.attempt + 1;
  return step(
    { ...memory, attempt, startedMs: now },
    { kind: "connecting", attempt, deadlineMs: now + openingTimeoutMs },
    { kind: "openSocket", attempt },
  );
}
