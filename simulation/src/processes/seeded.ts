/** Chance from a seed: the same numbers for the same words, whatever else draws. */
import { createDraw, hashOf } from "../../../e2e/src/random.ts";

/** Numbers in [0, 1). */
export function seeded(words: string): () => number {
  return createDraw(hashOf(words));
}
