/**
 * Which seeds caught each bug in the runs that were recorded: asked first, they save most of a run's time.
 *
 * A file beside the list, by the bug's id, several of each: whatever the product does otherwise changes what some seed
 * comes to. It proves nothing: a seed that does not catch its bug any more is one of the others, and a bug without a
 * hint begins with the first seed. It is written only where that was asked for.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Verdict } from "./outcome.ts";

/** Bug's id → seeds, the one that caught it last first. */
export type Hints = Readonly<Record<string, readonly number[]>>;

const hintsPerBugMax = 4;

const place = new URL("./hints.json", import.meta.url);

export function readHints(): Hints {
  return JSON.parse(readFileSync(place, "utf8")) as Hints;
}

/** Those of bugs that were not run stay as they are. */
export function recordHints(verdicts: readonly Verdict[]): void {
  const known = readHints();
  const fresh = verdicts.flatMap(({ bug, firstSeed }) => {
    if (firstSeed === undefined) return [];
    const others = (known[bug.id] ?? []).filter((seed) => seed !== firstSeed);
    return [[bug.id, [firstSeed, ...others].slice(0, hintsPerBugMax)] as const];
  });
  const all = Object.entries({ ...known, ...Object.fromEntries(fresh) }).sort(([one], [other]) =>
    one < other ? -1 : 1,
  );
  const lines = all.map(([id, seeds]) => `  ${JSON.stringify(id)}: [${seeds.join(", ")}]`);
  writeFileSync(place, `{\n${lines.join(",\n")}\n}\n`);
}
