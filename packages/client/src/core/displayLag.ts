/**
 * How late an event is when its handler has returned: from its `at` on the server's clock (ST-4) to then.
 *
 * Only what came to a live reader counts: history is old by its nature, and a gap has a figure of its own. The
 * window is bounded, and figures are made anew once a second at most, so that they cost nothing at any rate.
 */
import type { AppliedEvent } from "../api.ts";

/** Newest lags that the figures are made of. */
const lagsKeptMax = 1_024;
const figuresApartMs = 1_000;

export interface LagFigures {
  readonly displayLagP50Ms?: number;
  readonly displayLagP99Ms?: number;
}

export interface DisplayLag {
  /** `now`: server clock, ms, after the handler returned. */
  note(events: readonly AppliedEvent[], now: number): void;
  /** @param now monotonic ms */
  figures(now: number): LagFigures;
}

export function makeDisplayLag(): DisplayLag {
  const lags: number[] = [];
  let figures: LagFigures = {};
  let dueMs = Number.NEGATIVE_INFINITY;
  return {
    note(events, now) {
      for (const { at } of events) lags.push(Math.max(0, now - at));
      lags.splice(0, lags.length - lagsKeptMax);
    },
    figures(now) {
      if (now < dueMs || lags.length === 0) return figures;
      dueMs = now + figuresApartMs;
      const sorted = lags.toSorted((one, other) => one - other);
      const rank = (share: number): number => Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? 0);
      figures = { displayLagP50Ms: rank(0.5), displayLagP99Ms: rank(0.99) };
      return figures;
    },
  };
}
