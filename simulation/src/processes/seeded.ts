/** Chance from a seed: the same numbers for the same words, whatever else draws. */

/** Numbers in [0, 1) (mulberry32 over FNV-1a). */
export function seeded(words: string): () => number {
  let state = 0x811c9dc5;
  for (let index = 0; index < words.length; index += 1)
    state = Math.imul(state ^ words.charCodeAt(index), 0x01000193) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
