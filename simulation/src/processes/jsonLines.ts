/** Files in which the processes of a run write down what happened to them: JSON, a line each. */
import { readFileSync } from "node:fs";

/** Throws where there is no such file, or a line is no JSON. */
export function readLines<Line>(file: string): readonly Line[] {
  return linesOf(file).map((line) => JSON.parse(line) as Line);
}

/**
 * The same of a writer that may have been killed in the middle of a line: what was not written whole was not written.
 * @param isWanted of a line as it is; the others are not parsed
 */
export function readWholeLines<Line>(file: string, isWanted: (line: string) => boolean = () => true): readonly Line[] {
  return linesOf(file)
    .filter(isWanted)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Line];
      } catch {
        return [];
      }
    });
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}
