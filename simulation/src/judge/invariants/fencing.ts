/**
 * REL-I10 (OP-7): a generation of an agent is granted once and in order, and nothing that an older one published
 * becomes durable after a newer one was granted.
 */
import type { Fail, Invariant } from "../invariant.ts";

export function fencing(fail: Fail): Invariant {
  const generations = new Map<string, number>();
  return {
    on: {
      generationGranted({ agent, generation }) {
        const current = generations.get(agent) ?? 0;
        if (generation < current) fail("REL-I10", `agent ${agent} was given generation ${generation} after ${current}`);
        generations.set(agent, Math.max(current, generation));
      },
      committed({ origin, stream, offset }) {
        if (origin?.agent === undefined || origin.generation === undefined) return;
        const current = generations.get(origin.agent);
        if (current === undefined || origin.generation === current) return;
        fail(
          "REL-I10",
          `generation ${origin.generation} of agent ${origin.agent} published ${stream}:${offset}, the current is ${current}`,
          { harm: "phantom" },
        );
      },
    },
  };
}
