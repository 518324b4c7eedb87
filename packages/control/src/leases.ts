/**
 * Which other nodes are dead: those whose beat has stood still for {@link leaseMs} while the store answered.
 *
 * Each node raises its own beat in the store and hears those of the others. Nobody compares clocks: a node measures
 * by its own how long it has seen another's beat stand still. Invariant: time in which the store did not answer this
 * node, took long to, or was not asked, counts for nobody, since the others may not have been able to beat either: else
 * the first node that is back after an outage, has slept through it, or is served first by a store that hangs, would
 * declare the others' agents dead (I5). Pure.
 */

/** Three looks at the slowest pace. */
export const leaseMs = 15_000;
/** The store must have answered without a break for so long before anybody is judged. */
export const answeredMsMin = 30_000;
/** An answer that took longer is none: meanwhile another's beat may have waited as long. */
export const slowAnswerMs = leaseMs / 3;

/** Between two answers of a node that asks as it should: the slowest pace, and the slowest answer. */
export const unaskedMsMax = 2 * slowAnswerMs;

export interface NodeBeat {
  readonly node: string;
  readonly beat: number;
}

export interface Leases {
  /** The store answered at `at` what it was asked at `askedAt` (monotonic ms): the beats of all nodes. Those that are dead. */
  heard(nodes: readonly NodeBeat[], askedAt: number, at: number): readonly NodeBeat[];
  /** The store did not answer. */
  broken(): void;
}

export function createLeases(self: string): Leases {
  let seen = new Map<string, { readonly beat: number; readonly since: number }>();
  /** Since when the store has answered without a break. */
  let answersSince: number | undefined;
  let answeredAt = 0;

  return {
    heard(nodes, askedAt, at) {
      if (at - askedAt > slowAnswerMs || at - answeredAt > unaskedMsMax) answersSince = undefined;
      answersSince ??= at;
      answeredAt = at;
      const others = nodes.filter(({ node }) => node !== self);
      seen = new Map(
        others.map(({ node, beat }) => {
          const known = seen.get(node);
          return [node, known?.beat === beat ? known : { beat, since: at }];
        }),
      );
      // Longer than a lease: who has not beaten in all this time had every occasion to.
      if (at - answersSince < answeredMsMin) return [];
      return others.filter(({ node }) => at - (seen.get(node)?.since ?? at) >= leaseMs);
    },
    broken() {
      answersSince = undefined;
    },
  };
}
