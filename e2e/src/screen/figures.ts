/** How late many messages were, in the few figures that a person compares. */

export interface Figures {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Of durations in ms; zeros where there are none. */
export function figuresOf(durations: readonly number[]): Figures {
  const sorted = durations.toSorted((one, other) => one - other);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { count: sorted.length, p50: rank(0.5), p90: rank(0.9), p99: rank(0.99), max: rank(1) };
}

/** `p50 12, p90 18, p99 31, max 44 ms of 1,000`. */
export function inWords({ count, p50, p90, p99, max }: Figures): string {
  const [a, b, c, d] = [p50, p90, p99, max].map((ms) => Math.round(ms));
  return `p50 ${a}, p90 ${b}, p99 ${c}, max ${d} ms of ${count.toLocaleString("en-GB")}`;
}
