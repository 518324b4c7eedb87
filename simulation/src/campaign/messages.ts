/** What a campaign and its workers say to each other: plans by seed or whole, and what became of them. */
import type { EightHours } from "../eightHours.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../run.ts";

export type ToWorker =
  | { readonly kind: "seeds"; readonly seeds: readonly number[] }
  /** `isWatched`: with the lines that a sequence is drawn from. */
  | { readonly kind: "plan"; readonly plan: Plan; readonly isWatched: boolean }
  | { readonly kind: "eightHours"; readonly seed: number };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "result"; readonly result: RunResult }
  | { readonly kind: "eightHours"; readonly seen: EightHours }
  /** All that was asked for is done. */
  | { readonly kind: "done" };
