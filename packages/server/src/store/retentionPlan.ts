/**
 * The order of a round of retention, as data: which small step comes after which. Pure.
 *
 *   requests → producers → events past their time → size ─ fits ─▶ over
 *                                                     └─ too much ─▶ replaced events ─▶ younger and younger work ─▶ over
 *
 * Under pressure of size the first to go is what a later keyframe replaces anyway, then the oldest work, each time
 * down to half the age (ST-10: in threads that are done). Invariants: every round ends; pressure stops at the byte
 * that makes it fit; nothing younger than `keptAlwaysMs` goes for its size.
 */
import { unreachable } from "@holdfast/protocol";
import { keptAlwaysMs, type Lifetimes, requestsKeptMs } from "./lifetimes.ts";
import type { Retained, RetainPlace, RetainStep } from "./port.ts";

export type Round =
  | {
      readonly kind: "step";
      readonly step: RetainStep;
      /** Where the store is too large: how much has to go yet. */
      readonly excessBytes?: number;
    }
  /** `isFull`: what may go is gone, and it is still too much. */
  | { readonly kind: "over"; readonly isFull: boolean };

const beginning: RetainPlace = { stream: 0, offset: 0 };

export function firstStep(): Round {
  return { kind: "step", step: { of: "requests", keptMs: requestsKeptMs } };
}

/** What follows a step, by what it gave. `lifetimes`: as configured. */
export function nextStep(round: Round & { kind: "step" }, retained: Retained, lifetimes: Lifetimes): Round {
  const { step } = round;
  const { next } = retained;
  switch (step.of) {
    case "requests":
      return next === undefined ? plain({ of: "producers", keptMs: lifetimes.producersMs }) : round;
    case "producers":
      return next === undefined ? plain({ of: "events", from: beginning, lifetimes }) : round;
    case "size": {
      const excessBytes = (retained.size?.eventBytes ?? 0) - lifetimes.workBytesMax;
      if (excessBytes <= 0) return { kind: "over", isFull: false };
      const step = {
        of: "events",
        from: beginning,
        lifetimes: { ...lifetimes, workMs: keptAlwaysMs },
        only: "replaced",
      } as const;
      return { kind: "step", step, excessBytes };
    }
    case "events": {
      const { excessBytes } = round;
      if (excessBytes === undefined) return plain(next === undefined ? { of: "size" } : { ...step, from: next });
      const left = excessBytes - (retained.bytes ?? 0);
      if (left <= 0) return { kind: "over", isFull: false };
      if (next !== undefined) return { kind: "step", step: { ...step, from: next }, excessBytes: left };
      return younger(step, left, lifetimes);
    }
    default:
      return unreachable(step);
  }
}

/** The next pass over all streams: what is replaced was the first, then work of half the age each time. */
function younger(
  { lifetimes: tried, only }: RetainStep & { of: "events" },
  excessBytes: number,
  lifetimes: Lifetimes,
): Round {
  if (only === undefined && tried.workMs <= keptAlwaysMs) return { kind: "over", isFull: true };
  const age = only === undefined ? tried.workMs : lifetimes.workMs;
  const workMs = Math.max(keptAlwaysMs, Math.floor(age / 2));
  return { kind: "step", step: { of: "events", from: beginning, lifetimes: { ...lifetimes, workMs } }, excessBytes };
}

function plain(step: RetainStep): Round {
  return { kind: "step", step };
}
