/** What a question is: something to run, and what it shows against its goals. */
import type { PeerName } from "../peers/peers.ts";
import type { Spread } from "../statistics.ts";

export interface QuestionOptions {
  /** How long each run measures. */
  readonly seconds: number;
  /** How often each peer and case is run; they alternate. */
  readonly runs: number;
  readonly peers: readonly PeerName[];
  /** A folder for CPU profiles of the servers. */
  readonly profile: string | undefined;
  /** How long each run waits for a quiet machine, ms. */
  readonly patienceMs: number;
  /** Says what is going on. */
  readonly say: (line: string) => void;
}

/** One figure against what was asked of it. */
export interface Finding {
  readonly what: string;
  readonly unit: string;
  readonly seen: Spread;
  /** At most (or, with `atLeast`, at least) this. Absent: a figure without a goal. */
  readonly goal?: number;
  readonly floor?: number;
  readonly atLeast?: boolean;
}

export interface Answer {
  readonly findings: readonly Finding[];
  readonly versions: Readonly<Record<string, string>>;
  /** Every single run, as it was measured. */
  readonly runs: readonly unknown[];
  /** What makes a figure less than it seems: saturated readers, a peer that is not installed. */
  readonly reservations: readonly string[];
}

export interface Question {
  readonly name: string;
  readonly asks: string;
  readonly defaults: { readonly seconds: number; readonly runs: number };
  run(options: QuestionOptions): Promise<Answer>;
}

export type Verdict = "goal" | "floor" | "missed" | "no goal";

export function verdictOf({ seen, goal, floor, atLeast }: Finding): Verdict {
  const holds = (bound: number): boolean => (atLeast === true ? seen.median >= bound : seen.median <= bound);
  if (goal === undefined) return "no goal";
  if (holds(goal)) return "goal";
  return floor !== undefined && holds(floor) ? "floor" : "missed";
}
