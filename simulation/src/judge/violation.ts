/**
 * What the judge throws: which invariant is broken, by what, and of which of the five harms it is one.
 *
 * The ids are ARCHITECTURE.md's (`I1` …) and RELIABILITY.md 2.1's (`REL-I1` …). A harm is what the ledger counts;
 * a violation that is none of the five (a second socket, a flooded log) has no harm and fails the run all the same.
 */

export type InvariantId =
  | `I${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10}`
  | `REL-I${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 13 | 14 | 15 | 16 | 17 | 18 | 19}`;

/** The five harms of the ledger (docs/trust.md). */
export const harms = ["lost", "repeated", "reordered", "phantom", "silentGaps"] as const;
export type Harm = (typeof harms)[number];

/** An invariant does not hold. `message` names the offending values; `context` holds what was known of them. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly invariant: InvariantId;
  readonly harm: Harm | undefined;
  readonly context: Readonly<Record<string, unknown>>;
  /** When it was seen, in the observations' time; undefined: at the end. */
  readonly at: number | undefined;

  constructor(
    invariant: InvariantId,
    message: string,
    options: {
      readonly harm?: Harm;
      readonly context?: Readonly<Record<string, unknown>>;
      readonly at?: number | undefined;
    } = {},
  ) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
    this.harm = options.harm;
    this.context = options.context ?? {};
    this.at = options.at;
  }
}
