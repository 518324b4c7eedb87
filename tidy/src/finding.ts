/**
 * What a rule says when it is broken.
 *
 * A rule is a pure function from text to findings, so that each can be shown red on a line made up for it.
 * An empty list is the only way to pass; there is no severity and no baseline.
 */

/** A file of the repository: its path from the root with `/`, and its whole text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Finding {
  readonly path: string;
  /** 1-based; absent where the finding is about the whole file. */
  readonly line?: number;
  /** What is wrong, with the offending value, and what to do. */
  readonly message: string;
}

/** One line per finding, as an editor understands it. */
export function describe(findings: readonly Finding[]): string {
  return findings
    .map(({ path, line, message }) => `${path}${line === undefined ? "" : `:${line}`}  ${message}`)
    .join("\n");
}

/** The 1-based line of a character offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let index = text.indexOf("\n"); index !== -1 && index < offset; index = text.indexOf("\n", index + 1)) line += 1;
  return line;
}
