/**
 * Is the other side there? (LV-1, LV-3, LV-4)
 *
 *   quiet ──interval──▶ ping sent ──any frame──▶ quiet
 *                           └──deadline──▶ dead (found late: once more 2 s)
 *
 * Invariant: only an unanswered ping proves death. A timer found late proves nothing but sleep, so the
 * queued `pong` gets one more chance to be read. It sends nothing itself: it says what is due.
 */
import { limits } from "@holdfast/protocol";

export interface Heartbeat {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly heardMs: number;
  readonly sentMs: number;
  readonly n: number;
  /** Present while a ping is unanswered. `graced`: LV-3's second chance was given. */
  readonly awaiting: { readonly deadlineMs: number; readonly graced: boolean } | undefined;
}

export function makeHeartbeat(now: number, intervalMs: number, timeoutMs: number): Heartbeat {
  return { intervalMs, timeoutMs, heardMs: now, sentMs: now, n: 0, awaiting: undefined };
}

export function heard(heartbeat: Heartbeat, now: number): Heartbeat {
  return { ...heartbeat, heardMs: now, awaiting: undefined };
}

/** When to look again. */
export function heartbeatDueMs(heartbeat: Heartbeat): number {
  // A doubled timeout may exceed what the server waits for a frame of ours (LV-2): pings go on meanwhile.
  const ownFrameMs = heartbeat.sentMs + heartbeat.intervalMs;
  return heartbeat.awaiting === undefined
    ? Math.min(heartbeat.heardMs + heartbeat.intervalMs, ownFrameMs)
    : Math.min(heartbeat.awaiting.deadlineMs, ownFrameMs);
}

/** A ping goes out now; the deadline of an earlier unanswered one stays where it is sooner. */
export function pinged(heartbeat: Heartbeat, now: number, timeoutMs: number): Heartbeat {
  const deadlineMs = Math.min(heartbeat.awaiting?.deadlineMs ?? Number.POSITIVE_INFINITY, now + timeoutMs);
  return {
    ...heartbeat,
    n: heartbeat.n + 1,
    sentMs: now,
    awaiting: { deadlineMs, graced: heartbeat.awaiting?.graced ?? false },
  };
}

export type HeartbeatVerdict =
  | { readonly kind: "early" }
  | { readonly kind: "ping" }
  | { readonly kind: "graced"; readonly heartbeat: Heartbeat }
  | { readonly kind: "dead" };

export function judgeHeartbeat(heartbeat: Heartbeat, now: number): HeartbeatVerdict {
  const { awaiting } = heartbeat;
  if (awaiting !== undefined && now >= awaiting.deadlineMs) {
    const late = now - awaiting.deadlineMs > limits.lateTimerMs;
    if (!late || awaiting.graced) return { kind: "dead" };
    return {
      kind: "graced",
      heartbeat: { ...heartbeat, awaiting: { deadlineMs: now + limits.lateTimerGraceMs, graced: true } },
    };
  }
  return now >= heartbeatDueMs(heartbeat) ? { kind: "ping" } : { kind: "early" };
}
