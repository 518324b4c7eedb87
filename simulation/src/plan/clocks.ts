/** Whether a plan lets a node be wrong about the time: what then becomes of credentials is judged more mildly. */
import type { Plan } from "./plan.ts";

/** Who learned the time from a node that was wrong about it may take a good token for an ended one. */
export function hasWrongClocks({ steps, nodes }: Plan): boolean {
  return steps.some((step) => step.kind === "clockJump" && nodes.some(({ name }) => name === step.who));
}
