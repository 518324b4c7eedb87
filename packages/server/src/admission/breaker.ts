/**
 * The breaker of one dependency: closed, or open with one probe at a time (AD-2).
 *
 *   closed ──3 consecutive failures of one lane──▶ open ──a probe that succeeds──▶ closed
 *
 * Lanes are counted apart: a read that succeeds proves nothing about a disk that takes no writes. While it is open
 * only a probe's outcome counts; a late answer from before changes nothing. Pure: a step from state and event to
 * state, with the time passed in.
 */
import { unreachable } from "@holdfast/protocol";

export type Lane = "read" | "write";

export type BreakerState =
  | { readonly kind: "closed"; readonly failures: Readonly<Record<Lane, number>> }
  /** `since` is the time of the failure that opened it. `probing`: one is under way. */
  | { readonly kind: "open"; readonly since: number; readonly probeAt: number; readonly probing: boolean };

export type BreakerEvent =
  | { readonly kind: "succeeded"; readonly lane: Lane }
  | { readonly kind: "failed"; readonly lane: Lane; readonly now: number }
  | { readonly kind: "probeBegan" }
  | { readonly kind: "probeEnded"; readonly ok: boolean; readonly now: number };

export interface BreakerLimits {
  readonly storeFailuresMax: number;
  readonly storeProbeEveryMs: number;
}

export const closedBreaker: BreakerState = { kind: "closed", failures: { read: 0, write: 0 } };

export function stepBreaker(state: BreakerState, event: BreakerEvent, limits: BreakerLimits): BreakerState {
  switch (event.kind) {
    case "succeeded":
      if (state.kind === "open" || state.failures[event.lane] === 0) return state;
      return { kind: "closed", failures: { ...state.failures, [event.lane]: 0 } };
    case "failed": {
      if (state.kind === "open") return state;
      const failures = state.failures[event.lane] + 1;
      if (failures < limits.storeFailuresMax)
        return { kind: "closed", failures: { ...state.failures, [event.lane]: failures } };
      return { kind: "open", since: event.now, probeAt: event.now + limits.storeProbeEveryMs, probing: false };
    }
    case "probeBegan":
      return state.kind === "closed" ? state : { ...state, probing: true };
    case "probeEnded":
      if (state.kind === "closed") return state;
      if (event.ok) return closedBreaker;
      // From begin to begin: the next is due one interval after this one was.
      return {
        ...state,
        probeAt: Math.max(event.now, state.probeAt + limits.storeProbeEveryMs),
        probing: false,
      };
    default:
      return unreachable(event);
  }
}
