/**
 * A failing plan made short: what can be left out while it still fails in the same way is left out.
 *
 * Delta debugging over the plan's lists: steps first, by halves, quarters and so on, then people, then nodes, then
 * time. Since chance is drawn by name, what remains goes on as it did; where it does not, the attempt simply does not
 * fail and is undone. Invariant: the returned plan fails with the same invariant as the given one. The number of
 * attempts is bounded, since a person waits.
 */
import type { Plan } from "../plan/plan.ts";

export interface Shrinking {
  /** The invariant that a run of it breaks; undefined: none. */
  readonly fails: (plan: Plan) => Promise<string | undefined>;
  readonly attemptsMax: number;
}

export async function shrink(plan: Plan, invariant: string, { fails, attemptsMax }: Shrinking): Promise<Plan> {
  let best = plan;
  let attempts = 0;
  const tries = async (candidate: Plan): Promise<boolean> => {
    if (attempts >= attemptsMax) return false;
    attempts += 1;
    if ((await fails(candidate)) !== invariant) return false;
    best = candidate;
    return true;
  };

  await shorten(() => best, tries);
  for (const { name } of plan.people) if (best.people.length > 1) await tries(without(best, name));
  for (let size = Math.ceil(best.steps.length / 2); size >= 1 && attempts < attemptsMax; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.steps.length && attempts < attemptsMax; ) {
      const steps = [...best.steps.slice(0, at), ...best.steps.slice(at + size)];
      if (!(await tries({ ...best, steps }))) at += size;
    }
  }
  for (const { name } of best.people) if (best.people.length > 1) await tries(without(best, name));
  for (const { name } of best.agents)
    await tries({
      ...best,
      agents: best.agents.filter((agent) => agent.name !== name),
      steps: best.steps.filter((step) => !("agent" in step) || step.agent !== name),
    });
  for (const { name } of best.nodes)
    if (best.nodes.length > 1) await tries({ ...best, nodes: best.nodes.filter((node) => node.name !== name) });
  await shorten(() => best, tries);
  return best;
}

/** Less time before the healing, with what happens in it. */
async function shorten(best: () => Plan, tries: (plan: Plan) => Promise<boolean>): Promise<void> {
  for (let part = 0.5; part < 0.95; part += 0.2) {
    const before = best().durationMs;
    const durationMs = Math.ceil(before * part);
    // What happens after the healing goes on doing so.
    const steps = best().steps.flatMap((step) => {
      if (step.at <= durationMs) return [step];
      return step.at > before ? [{ ...step, at: step.at - before + durationMs }] : [];
    });
    if (await tries({ ...best(), durationMs, steps })) part = 0.3;
  }
}

function without(plan: Plan, name: string): Plan {
  return {
    ...plan,
    people: plan.people.filter((person) => person.name !== name),
    steps: plan.steps.filter((step) => !("who" in step) || step.who !== name),
  };
}
