/**
 * Which offsets of a stream somebody was given, and how often: what "0 lost, 0 repeated" is counted from. Pure.
 *
 * Two readers of one stream keep one each, and are compared: offsets that retention has removed are with neither.
 * Invariant: only offsets in (base, base + {@link offsetsMax}] are kept, so that its size is bounded.
 */

/** Offsets that are looked at; a check takes seconds, and begins near the stream's head. */
export const offsetsMax = 50_000;

export interface Coverage {
  /** An event was handed over: it covers `offset`…`through`. */
  add(offset: number, through: number): void;
  has(offset: number): boolean;
  /** Offsets that were handed over again. */
  readonly repeated: number;
  /** How many were handed over. */
  readonly size: number;
}

export function makeCoverage(base: number): Coverage {
  const offsets = new Set<number>();
  let repeated = 0;
  return {
    add(offset, through) {
      const last = Math.min(through, base + offsetsMax);
      // Nobody can keep us busy with the same offsets for ever.
      for (let one = Math.max(offset, base + 1); one <= last && repeated < offsetsMax; one += 1) {
        if (offsets.has(one)) repeated += 1;
        offsets.add(one);
      }
    },
    has: (offset) => offsets.has(offset),
    get repeated() {
      return repeated;
    },
    get size() {
      return offsets.size;
    },
  };
}

/** How many offsets in (base, through] one reader was given, and the other was not. */
export function lostBetween(given: Coverage, other: Coverage, base: number, through: number): number {
  let lost = 0;
  for (let offset = base + 1; offset <= Math.min(through, base + offsetsMax); offset += 1) {
    if (given.has(offset) && !other.has(offset)) lost += 1;
  }
  return lost;
}
