/** Where the time went between a message's transaction and the screen, over all messages and for one tab. */
import { type Figures, figuresOf, inWords } from "./figures.ts";
import type { Sightings } from "./probe.ts";
import type { Written } from "./wire.ts";

export interface Lags {
  /** From the beginning of the transaction until the text is in the document. */
  readonly whole: Figures;
  /** Its parts, in the order in which they are passed. */
  readonly parts: Readonly<Record<Part, Figures>>;
  /** Marks that were written and never shown. */
  readonly lost: readonly string[];
}

const parts = ["store, hub, socket", "worker, port", "fold, React, document", "frame"] as const;
type Part = (typeof parts)[number];

/** @param marks all that were to be shown */
export function lagsOf(marks: readonly string[], written: Written, seen: Sightings): Lags {
  const stops: readonly ((mark: string) => number | undefined)[] = [
    (mark) => written.at.get(mark),
    (mark) => written.heard.get(mark),
    (mark) => seen.arrived[mark],
    (mark) => seen.shown[mark],
    (mark) => seen.drawn[mark],
  ];
  const between = (from: number, to: number): Figures =>
    figuresOf(
      marks.flatMap((mark) => {
        const [began, ended] = [stops[from]?.(mark), stops[to]?.(mark)];
        return began === undefined || ended === undefined ? [] : [ended - began];
      }),
    );
  const [store, worker, page, frame] = parts;
  return {
    whole: between(0, 3),
    parts: { [store]: between(0, 1), [worker]: between(1, 2), [page]: between(2, 3), [frame]: between(3, 4) },
    lost: marks.filter((mark) => !(mark in seen.shown)),
  } as Lags;
}

/** Lines for a person. */
export function describeLags(name: string, lags: Lags, seen: Sightings): readonly string[] {
  const longest = Math.max(0, ...seen.longTasks.map(({ ms }) => ms));
  return [
    `${name}: commit to document ${inWords(lags.whole)}; lost ${lags.lost.length}, doubled ${seen.doubled.length}, out of order ${seen.disordered.length}; ${seen.longTasks.length} tasks over 50 ms, the longest ${Math.round(longest)} ms`,
    ...Object.entries(lags.parts).map(([part, figures]) => `  ${part}: ${inWords(figures)}`),
  ];
}
