/**
 * Chance that a seed decides: any number of independent streams, each with a name of its own.
 *
 * A stream is made of the seed and its names (`dice(7, "link", "ada", 3)`), never of another stream, so that one
 * draw more in one place changes no draw in another: what is left of a schedule after something was taken out
 * goes on as it did. The generator is sfc32, seeded by a hash of the names; it is no cryptography.
 */
import type { Random } from "@holdfast/protocol";

export interface Dice extends Random {
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** Exponentially distributed with this mean, rounded to whole ms. */
  exponentialMs(meanMs: number): number;
}

export function dice(seed: number, ...names: readonly (string | number)[]): Dice {
  const next = sfc32(hash(`${seed}/${names.join("/")}`));
  const fraction = (): number => next() / 2 ** 32;
  const integer = (min: number, max: number): number => min + Math.floor(fraction() * (max - min + 1));
  return {
    fraction,
    integer,
    bytes(count) {
      const bytes = new Uint8Array(count);
      for (let at = 0; at < count; at += 4) {
        const word = next();
        for (let part = 0; part < 4 && at + part < count; part += 1) bytes[at + part] = (word >>> (8 * part)) & 0xff;
      }
      return bytes;
    },
    chance: (probability) => fraction() < probability,
    pick(items) {
      const item = items[Math.floor(fraction() * items.length)];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
    exponentialMs: (meanMs) => Math.round(-Math.log(1 - fraction()) * meanMs),
  };
}

/** FNV-1a over UTF-16 units: 32 bits, for seeding and for fingerprints. */
export function hash(text: string, start = 0x811c9dc5): number {
  let value = start;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

function sfc32(seed: number): () => number {
  let [a, b, c, counter] = [0x9e3779b9 ^ seed, 0x243f6a88, 0xb7e15162 ^ Math.imul(seed, 0x85ebca6b), 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round += 1) next();
  return next;
}
