/**
 * The fingerprint of a run: every frame, store outcome, timer and fault goes in, in order.
 *
 * Two runs of one schedule must have the same fingerprint; where they have not, something in the code under test
 * reads a clock, a die or a thread that the simulation does not hold (REL-I20). It keeps no history unless asked:
 * `lines` of a failing run are what the sequence is drawn from.
 */
import { hash } from "./dice.ts";

/** The newest lines of a run that is watched. */
export const traceLinesMax = 20_000;

export interface TraceLine {
  readonly at: number;
  /** Who does it, and whom it concerns: the columns of the drawing. */
  readonly from: string;
  readonly to: string;
  readonly what: string;
}

export interface Trace {
  readonly fingerprint: string;
  readonly lines: readonly TraceLine[];
  note(from: string, to: string, what: string): void;
  /** The same where the text's own hash is known: a frame shared by many. */
  noteHash(from: string, to: string, value: number, what: () => string): void;
}

export function makeTrace(now: () => number, keepsLines: boolean): Trace {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  const lines: TraceLine[] = [];
  const mix = (value: number): void => {
    low = Math.imul(low ^ value, 0x01000193) >>> 0;
    high = (Math.imul(high ^ value, 0x85ebca6b) + low) >>> 0;
  };
  const keep = (from: string, to: string, what: string): void => {
    if (lines.length >= traceLinesMax) lines.splice(0, traceLinesMax / 2);
    lines.push({ at: now(), from, to, what });
  };
  return {
    get fingerprint() {
      return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
    },
    lines,
    note(from, to, what) {
      mix(now());
      mix(hash(from + to + what));
      if (keepsLines) keep(from, to, what);
    },
    noteHash(from, to, value, what) {
      mix(now());
      mix(hash(from + to));
      mix(value);
      if (keepsLines) keep(from, to, what());
    },
  };
}
