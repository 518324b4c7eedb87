/** Made-up histories for the judge, and how it answered one. */
import { expect } from "vitest";
import { createJudge, type JudgeOptions, type JudgeReport } from "../../src/judge/judge.ts";
import type { Observation } from "../../src/judge/observation.ts";
import { Violation } from "../../src/judge/violation.ts";

export const workspace = "w";
export const log = "log";

interface HistoryOptions {
  readonly judge?: JudgeOptions;
  /** true by default. */
  readonly isHealed?: boolean;
  /** Count all breaches instead of stopping at the first. */
  readonly counting?: boolean;
}

/** Events `from` … `to` of the log, each durable, with the content `<offset>`. */
export function appended(from: number, to: number, epoch = "e1"): readonly Observation[] {
  return offsets(from, to).map((offset) => ({
    kind: "committed",
    at: 1,
    workspace,
    stream: log,
    epoch,
    offset,
    content: `<${offset}>`,
  }));
}

export function opened(
  reader: string,
  from: "start" | "latest" | { readonly epoch: string; readonly offset: number } = "start",
  stored?: string,
): Observation {
  return {
    kind: "readerOpened",
    at: 2,
    reader,
    client: "c",
    workspace,
    stream: log,
    from,
    ...(stored === undefined ? {} : { stored }),
  };
}

export function deliveries(reader: string, from: number, to: number, epoch = "e1"): readonly Observation[] {
  return offsets(from, to).map((offset) => ({
    kind: "delivered",
    at: 3,
    reader,
    epoch,
    offset,
    content: `<${offset}>`,
  }));
}

export function judged(history: readonly Observation[], options: HistoryOptions = {}): JudgeReport {
  const judge = createJudge(options.judge);
  for (const observation of history) judge.observe(observation);
  return judge.finish(options.isHealed ?? true);
}

export function passes(history: readonly Observation[], options: HistoryOptions = {}): void {
  expect(judged(history, options).violations).toEqual([]);
}

/** The first breach that the judge names in a bad history; fails where it finds none. */
export function breachOf(
  history: readonly Observation[],
  options: HistoryOptions = {},
): { readonly invariant: string; readonly harm?: string; readonly all?: readonly (string | undefined)[] } {
  if (options.counting === true) {
    const found: Violation[] = [];
    judged(history, {
      ...options,
      isHealed: false,
      judge: { ...options.judge, onViolation: (one) => found.push(one) },
    });
    return { invariant: found[0]?.invariant ?? "none", all: found.map(({ harm }) => harm) };
  }
  try {
    judged(history, options);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { invariant: error.invariant, ...(error.harm === undefined ? {} : { harm: error.harm }) };
  }
  throw new Error("the judge found nothing in a bad history");
}

function offsets(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
