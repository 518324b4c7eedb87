/** Surroundings that keep what is written. */
import type { Surroundings } from "../../src/commandLine/surroundings.ts";

export interface CollectedSurroundings extends Surroundings {
  readonly written: { output: string; errors: string };
}

export function makeSurroundings(
  given: Partial<Pick<Surroundings, "environment" | "directory">> = {},
): CollectedSurroundings {
  const written = { output: "", errors: "" };
  return {
    environment: {},
    directory: "/",
    ...given,
    written,
    output: {
      write: (text) => {
        written.output += text;
      },
    },
    errors: {
      write: (text) => {
        written.errors += text;
      },
    },
  };
}
