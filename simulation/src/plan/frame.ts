/** What of a plan is drawn before its steps: the steps are drawn to fit it. */
import type { Plan } from "./plan.ts";

export type Frame = Omit<Plan, "steps"> & { readonly isRestored: boolean };
