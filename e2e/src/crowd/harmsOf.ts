/**
 * Judges a crowd that came back: what the store holds against what was told to its writers, and what each client has
 * applied against what the store holds. Pure.
 *
 * Each client has looked at every offset itself (`crowdMain.ts`), and has one fold of all that it applied.
 */
import type { ComeBack } from "./comeBack.ts";
import { foldText } from "./fold.ts";

export interface Harms {
  /** Told as done, and not in the store. */
  readonly lost: number;
  /** Twice in the store. */
  readonly repeated: number;
  /** Clients that have other texts than the store, or in another order: as many as there are other folds. */
  readonly reordered: number;
  /** Events that clients have beyond the store's last one. */
  readonly phantom: number;
  /** Events that somebody has not got, and offsets that a client was given out of turn. */
  readonly silentGaps: number;
  /** What else must not be: resets, stops, problems. */
  readonly missed: number;
}

type Judged = Pick<ComeBack, "notes" | "done"> & {
  readonly end: Pick<ComeBack["end"], "appliedMin" | "appliedMax" | "folds" | "faults">;
};

/** Of a fault in the words of `crowdMain.ts`. */
const outOfTurn = / was given \d+ after \d+$/;

export function harmsOf({ notes, done, end }: Judged): Harms {
  const held = new Set(notes);
  const fold = notes.reduce(foldText, 0);
  const gaps = end.faults.filter((fault) => outOfTurn.test(fault)).length;
  const isWhole = end.appliedMax === notes.length;
  return {
    lost: done.filter((text) => !held.has(text)).length,
    repeated: notes.length - held.size,
    reordered: isWhole ? end.folds.filter((one) => one !== fold).length : 0,
    phantom: Math.max(0, end.appliedMax - notes.length),
    silentGaps: gaps + Math.max(0, notes.length - end.appliedMin),
    missed: end.faults.length - gaps,
  };
}
