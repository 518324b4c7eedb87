/**
 * A planted bug: one wrong line of production code, written down outside of it, that the simulation must catch.
 *
 * Life cycle: {@link plant} gives a file's text with the bug in it; a worker process loads that instead of the
 * file. Invariant: `find` stands in its file exactly once, so a bug that the code has outgrown is an error and
 * never a run without a bug. The files themselves are never written, and nothing of the product is imported here: it
 * is loaded after the bug is.
 */

export interface Bug {
  readonly id: string;
  /** The production file, from the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** What is wrong with it, in a sentence. */
  readonly what: string;
  /** Where it happened: an entry of FAILURES.md, or what is known of it elsewhere. */
  readonly knownAs?: string;
  /** Whether it was written before its author had seen the judge and the workload. */
  readonly madeBlind: boolean;
}

/** `source` with the bug in it. Throws where `find` does not stand in it exactly once. */
export function plant({ id, file, find, replace }: Bug, source: string): string {
  const pieces = source.split(find);
  if (pieces.length !== 2)
    throw new Error(
      `planted bug "${id}": its text stands ${pieces.length - 1} times in ${file}, not once; write it anew for the code as it is`,
    );
  return pieces.join(replace);
}
