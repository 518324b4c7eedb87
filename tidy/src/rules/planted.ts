/**
 * What docs/FAILURES.md says of planted faults stays true: each names a test that is there, under that name.
 *
 * It deliberately plants nothing: that a test goes red was seen once, and is written down. A title may be a table's,
 * with `%s` in it, so a part of it that stands in the file is enough.
 */
import { type Finding, lineAt, type SourceFile } from "../finding.ts";

/** Rows of "## Planted": id, what was changed, `file`: a part of the test's title. */
const row = /^\| `([A-Z]\d+)` *\| ([^|]+)\| `([^`]+)`: ([^|]+)\|/gm;

export interface PlantedFault {
  readonly id: string;
  readonly test: string;
  readonly title: string;
  readonly line: number;
}

export function plantedFaults(failures: SourceFile): readonly PlantedFault[] {
  return [...failures.text.matchAll(row)].map((match) => ({
    id: match[1] ?? "",
    test: match[3] ?? "",
    title: (match[4] ?? "").trim(),
    line: lineAt(failures.text, match.index),
  }));
}

/** Every test that a fault was seen to turn red is still there. */
export function plantedTestsExist(failures: SourceFile, files: readonly SourceFile[]): readonly Finding[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  return plantedFaults(failures)
    .filter(({ test, title }) => texts.get(test)?.includes(title) !== true)
    .map(({ id, test, title, line }) => ({
      path: failures.path,
      line,
      message: `${id}: ${test} has no test "${title}": name the one that goes red now, or write it again`,
    }));
}
