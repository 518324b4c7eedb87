/** What of a plan is drawn before its steps: the steps are drawn to fit it. */
import type { Plan } from "./plan.ts";

export type Frame = Omit<Plan, "steps"> & {
  /** An older image of the store is put back: what it took from requests and commands, nobody's books would hold. */
  readonly isRestored: boolean;
  /** A replica that was behind takes over, in a calm: nobody says or suffers anything around it. */
  readonly calm: { readonly from: number; readonly until: number } | undefined;
};
