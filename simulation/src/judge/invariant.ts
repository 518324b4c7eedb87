/**
 * What one invariant is made of: what it looks at, and what it looks at in the end.
 *
 * An invariant keeps its own books beside the shared model of the logs, costs O(1) for each observation, and tells
 * a breach through `fail`. `fail` may return, since a run of real processes counts all breaches: so an invariant goes
 * on from what was observed, as if it had been right.
 */
import type { Observation, ObservationKind, Observed } from "./observation.ts";
import type { Harm, InvariantId } from "./violation.ts";

export interface BreachDetails {
  readonly harm?: Harm;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Tells a breach. Throws in a simulation; counts, and returns, in a run of real processes. */
export type Fail = (invariant: InvariantId, message: string, details?: BreachDetails) => void;

export type Handlers = { readonly [Kind in ObservationKind]?: (observation: Observed<Kind>) => void };

export interface Invariant {
  readonly on: Handlers;
  /** @param isHealed whether faults ended long enough ago for everything to have converged (I10) */
  finish?(isHealed: boolean): void;
}

/** All handlers of one kind, in the order of the invariants. */
export function handlersOf(
  invariants: readonly Invariant[],
  kind: ObservationKind,
): readonly ((observation: Observation) => void)[] {
  return invariants.flatMap(({ on }) => {
    const handler = on[kind];
    return handler === undefined ? [] : [handler as (observation: Observation) => void];
  });
}
