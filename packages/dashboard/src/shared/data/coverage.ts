/**
 * What one reader was handed of a stream: everything once, in order, or exactly where not.
 *
 * It shares no rule with the session's cursors: it only looks at the offsets that arrive. Pure. Invariants: a hole is an
 * offset that was passed over and has not come since; at most {@link holesMax} are remembered one by one, and the
 * oldest beyond that count as lost.
 */

/** From and through, both included. */
export type Run = readonly [from: number, through: number];

const holesMax = 1_000;

export class Coverage {
  private next: number | undefined;
  private holes: Run[] = [];
  /** Came a second time. */
  repeated = 0;
  /** Came after something that follows it. */
  reordered = 0;
  /** Passed over, and known to have been there. */
  lost = 0;

  /** All up to `offset` is known already, by a cursor or a snapshot: what follows begins anew. */
  begin(offset: number | undefined): void {
    this.next = offset === undefined ? undefined : offset + 1;
    this.holes = [];
  }

  get through(): number {
    return (this.next ?? 1) - 1;
  }

  /** Passed over; not yet known whether there was anything. */
  get unchecked(): readonly Run[] {
    return this.holes;
  }

  /** Returns the hole that it has made, where it has. */
  add(offset: number, through: number): Run | undefined {
    const next = this.next ?? offset;
    if (offset < next) this.late(offset, Math.min(through, next - 1));
    this.next = Math.max(next, through + 1);
    if (offset <= next) return undefined;
    const hole: Run = [next, offset - 1];
    this.holes.push(hole);
    const oldest = this.holes.length > holesMax ? this.holes.shift() : undefined;
    if (oldest !== undefined) this.lost += sizeOf(oldest);
    return hole;
  }

  /** `there`: how many of the hole's events the server still has; those it has removed are nobody's loss. */
  settle(hole: Run, there: number): void {
    const left = this.holes.length;
    this.holes = this.holes.filter((one) => one !== hole);
    if (this.holes.length < left) this.lost += there;
  }

  private late(from: number, through: number): void {
    let filled = 0;
    this.holes = this.holes.flatMap((hole) => {
      const [start, end] = [Math.max(from, hole[0]), Math.min(through, hole[1])];
      if (start > end) return [hole];
      filled += end - start + 1;
      const rest: Run[] = [
        [hole[0], start - 1],
        [end + 1, hole[1]],
      ];
      return rest.filter((run) => sizeOf(run) > 0);
    });
    this.reordered += filled;
    this.repeated += through - from + 1 - filled;
  }
}

const sizeOf = ([from, through]: Run): number => through - from + 1;
