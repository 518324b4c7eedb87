/**
 * Which seed caught each bug in the run that was recorded last: asked first, it saves most of a run's time.
 *
 * A file beside the list, by the bug's id. It proves nothing: a seed that does not catch its bug any more is one of
 * the others, and a bug without a hint begins with the first seed. It is written only where that was asked for.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Verdict } from "./outcome.ts";

/** Bug's id → seed. */
export type Hints = Readonly<Record<string, number>>;

const place = new URL("./hints.json", import.meta.url);

export function readHints(): Hints {
  return JSON.parse(readFileSync(place, "utf8")) as Hints;
}

/** Those of bugs that were not run stay as they are. */
export function recordHints(verdicts: readonly Verdict[]): void {
  const fresh = verdicts.flatMap(({ bug, firstSeed }) =>
    firstSeed === undefined ? [] : [[bug.id, firstSeed] as const],
  );
  const all = Object.entries({ ...readHints(), ...Object.fromEntries(fresh) });
  all.sort(([one], [other]) => (one < other ? -1 : 1));
  writeFileSync(place, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}
