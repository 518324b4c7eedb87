/**
 * How long readers waited, phase by phase: from an event's commit to its delivery, and without any event at all.
 *
 * A pause counts for the phase in which it ends, and the one that is under way when a phase ends counts for it up to then.
 * Of millions of delays each phase keeps counts by the millisecond, not the delays themselves.
 */
import type { PhaseFigures, Quantiles } from "./crowdSettings.ts";

const delayMsMax = 60_000;

export interface Phases {
  begin(name: string): void;
  /** `reader` was given an event that was committed at `at`, ms since 1970. */
  saw(reader: string, at: number): void;
  end(): readonly PhaseFigures[];
}

export function createPhases(now: () => number = Date.now): Phases {
  const finished: PhaseFigures[] = [];
  const lastAt = new Map<string, number>();
  let name: string | undefined;
  let counts = new Map<number, number>();
  let longest = new Map<string, number>();

  const waited = (reader: string, until: number): void => {
    const pause = until - (lastAt.get(reader) ?? until);
    longest.set(reader, Math.max(pause, longest.get(reader) ?? 0));
  };

  const finish = (): void => {
    const at = now();
    for (const reader of lastAt.keys()) waited(reader, at);
    if (name !== undefined) {
      const pauses = new Map<number, number>();
      for (const pause of longest.values()) pauses.set(pause, (pauses.get(pause) ?? 0) + 1);
      const events = [...counts.values()].reduce((sum, count) => sum + count, 0);
      finished.push({ name, events, delays: quantilesOf(counts), pauses: quantilesOf(pauses) });
    }
    counts = new Map();
    longest = new Map();
    for (const reader of lastAt.keys()) lastAt.set(reader, at);
  };

  return {
    begin(next) {
      finish();
      name = next;
    },
    saw(reader, at) {
      const time = now();
      waited(reader, time);
      lastAt.set(reader, time);
      const delay = Math.min(delayMsMax, Math.max(0, Math.round(time - at)));
      counts.set(delay, (counts.get(delay) ?? 0) + 1);
    },
    end() {
      finish();
      return finished;
    },
  };
}

/** @param counts value → how often */
function quantilesOf(counts: ReadonlyMap<number, number>): Quantiles {
  const values = [...counts].sort(([left], [right]) => left - right);
  const total = values.reduce((sum, [, count]) => sum + count, 0);
  const at = (share: number): number => {
    let seen = 0;
    for (const [value, count] of values) {
      seen += count;
      if (seen >= share * total) return value;
    }
    return 0;
  };
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
