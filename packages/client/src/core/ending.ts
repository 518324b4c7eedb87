/**
 * Rules of the end: what a close code means (CL-1, CL-2), how long to wait, and our own `close()` (CL-8).
 *
 * A `bye` says why before the socket says that; where the close frame was lost, the `bye` still counts.
 */
import { fencedClose, forbiddenClose, limits, type Random, readRetryAfter, reconnectAdvice } from "@holdfast/protocol";
import { askToken, refuse } from "./attempt.ts";
import { delayAfterLoss, slowDelay } from "./backoff.ts";
import type { ConnectionMemory, ConnectionState, EventOf, OpenState, StateOf, Step } from "./connectionState.ts";
import { endingTimeoutMs, heartbeatProvenMs } from "./limits.ts";
import { drop, step, stop, wait } from "./step.ts";

type Owning = StateOf<"connecting" | "greeting" | "open">;
/** Why a socket was given up that answered no ping (LV-1). */
export const silence = "no pong";
interface End {
  readonly now: number;
  readonly code: number;
  readonly reason: string;
}

export function rememberBye(
  memory: ConnectionMemory,
  state: StateOf<"greeting"> | OpenState,
  event: EventOf<"bye">,
): Step {
  return step(memory, { ...state, bye: event.message });
}

/** The owned socket is gone, or given up. One total policy, whichever way it went (F17). */
export function lose(memory: ConnectionMemory, state: Owning, end: End, random: Random): Step {
  const bye = state.kind === "connecting" ? undefined : state.bye;
  // Browsers tell 1006 where the close frame was lost; the bye told the code before.
  const code = bye !== undefined && (end.code === 1005 || end.code === 1006) ? bye.code : end.code;
  const reason = bye?.reason || end.reason || `closed ${code}`;
  const uptime = state.kind === "open" ? Math.max(0, Math.round(end.now - state.welcomedMs)) : 0;
  const retryAfter = readRetryAfter(bye?.retryAfter);
  const known: ConnectionMemory = {
    ...memory,
    lastClose: { code, reason: reason.slice(0, 500), uptime },
    slot: bye?.slot ?? memory.slot,
    floorMs: retryAfter === undefined ? memory.floorMs : Math.max(memory.floorMs, end.now + retryAfter),
    silences: uptime >= heartbeatProvenMs && end.reason !== silence ? 0 : memory.silences,
  };
  const next = decide(known, { now: end.now, code, reason }, retryAfter, random);
  const { effects, ...after } = state.kind === "connecting" ? noteUnopened(next) : next;
  return { ...after, effects: [...drop(state), ...effects] };
}

/** CL-10: no close code tells why a socket did not open; at the third in a row HTTP is asked, once. */
function noteUnopened({ memory: before, state, effects }: Step): Step {
  const unopened = before.unopened + 1;
  const memory = { ...before, unopened };
  if (state.kind !== "waiting") return { memory, state, effects };
  const known = { ...state, reason: before.unopenedWhy ?? state.reason };
  return unopened === limits.failedUpgradesBeforeAsking ? askToken(memory, known, "unopened") : step(memory, known);
}

function decide(memory: ConnectionMemory, end: End, retryAfter: number | undefined, random: Random): Step {
  switch (reconnectAdvice(end.code)) {
    case "retry":
      return retry(memory, end, retryAfter, random);
    case "retryThenStop": {
      const known = { ...memory, faults: memory.faults + 1 };
      return known.faults >= limits.protocolFaultsBeforeStop
        ? stop(known, "protocol_fault")
        : retry(known, end, retryAfter, random);
    }
    case "refresh":
      return refreshThenRetry(memory, end, random);
    case "dropIdentity":
      return dropIdentity(memory, end, retryAfter, random);
    case "stop":
      return stop(memory, stopReason(end));
  }
}

/** Words that a program may look for, whatever the server said. */
function stopReason({ code, reason }: End): string {
  if (code === forbiddenClose) return "forbidden";
  return code === fencedClose ? "fenced" : reason;
}

function retry(memory: ConnectionMemory, end: End, retryAfter: number | undefined, random: Random): Step {
  const delayMs = delayAfterLoss({ failures: memory.failures, retryAfter, spreadMs: memory.spreadMs }, random);
  const probeMs = memory.online ? 0 : slowDelay(random);
  return wait(
    { ...memory, failures: memory.failures + 1 },
    Math.max(end.now + Math.max(delayMs, probeMs), memory.floorMs),
    end.reason,
  );
}

/** A token that carried a stable connection may simply have ended: that is no refusal of a fresh one. */
function refreshThenRetry(memory: ConnectionMemory, end: End, random: Random): Step {
  const failed = { ...memory, failures: memory.failures + 1, rejectedToken: memory.token };
  if (!memory.usesToken || memory.tokenFresh) return refuse(failed, end.now, random);
  return wait({ ...failed, token: undefined }, Math.max(end.now, memory.floorMs), end.reason);
}

/** OP-5: back at once without `expect`; a server that says it again gets the ordinary backoff. */
function dropIdentity(memory: ConnectionMemory, end: End, retryAfter: number | undefined, random: Random): Step {
  if (memory.expect === undefined) return retry(memory, end, retryAfter, random);
  const stranger = { ...memory, expect: undefined, failures: memory.failures + 1 };
  return wait(stranger, Math.max(end.now, memory.floorMs), end.reason, { kind: "identityChanged" });
}

/** Nothing is under way: nothing to wait for. */
export function closeAtOnce(memory: ConnectionMemory, state: ConnectionState): Step {
  return step(memory, { kind: "closed" }, ...drop(state));
}

/** CL-8: what was asked gets up to 1 s for its answer. */
export function closeGracefully(memory: ConnectionMemory, state: OpenState, event: EventOf<"closeAsked">): Step {
  return step(memory, {
    kind: "closing",
    attempt: state.attempt,
    phase: "flushing",
    deadlineMs: event.now + limits.closeFlushMs,
  });
}

export function endSocket(
  memory: ConnectionMemory,
  state: StateOf<"closing">,
  event: EventOf<"due" | "flushed">,
): Step {
  if (state.phase === "flushing") {
    const ending = { ...state, phase: "ending", deadlineMs: event.now + endingTimeoutMs } as const;
    return step(memory, ending, { kind: "leave" }, { kind: "endSocket", attempt: state.attempt });
  }
  // The flush is over; only the other side's close frame is missing, and it had its time.
  return event.kind === "due" ? closeAtOnce(memory, state) : step(memory, state);
}
