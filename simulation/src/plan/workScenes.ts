/** Scenes of agents and their work: queues, copies of a machine, and what is read of it long after. */
import type { Dice } from "../core/dice.ts";
import type { Frame } from "./frame.ts";
import type { Step } from "./plan.ts";

/** Commands wait in an agent's queue when all is healed: each end makes room for the next, and nothing else does (F75). */
export function crowdedAgent(chance: Dice, frame: Frame): Step[] {
  return [...(ordered(chance, frame, frame.durationMs - 6_000, 100, 12)?.steps ?? [])];
}

/** An agent runs twice, as a copied machine does, while it works and the store takes its time (OP-7). */
export function copiedMachine(chance: Dice, frame: Frame): Step[] {
  const at = chance.integer(10_000, frame.durationMs - 30_000);
  const orders = ordered(chance, frame, at, 300, 10);
  if (orders === undefined) return [];
  return [
    ...orders.steps,
    { at: at + 1_000, kind: "storeSlow", latencyMs: 400, ms: 6_000 },
    { at: at + 1_500, kind: "twin", agent: orders.agent, ms: 1 },
  ];
}

/** Threads are read anew, from the start, after retention has come to them (ST-10). */
export function lookingBack(chance: Dice, { durationMs, people, agents, workMs }: Frame): Step[] {
  if (agents.length === 0 || workMs === undefined) return [];
  return Array.from({ length: 24 }, (): Step => {
    const at = chance.integer(Math.floor(durationMs / 4), durationMs - 5_000);
    return { at, kind: "lookBack", who: chance.pick(people).name };
  });
}

/** So many commands to one agent, so far apart, by people of its workspace. */
function ordered(
  chance: Dice,
  { people, agents }: Frame,
  at: number,
  apartMs: number,
  length: number,
): { readonly agent: string; readonly steps: readonly Step[] } | undefined {
  if (agents.length === 0) return undefined;
  const { name: agent, workspace } = chance.pick(agents);
  const senders = people.filter((person) => person.workspace === workspace);
  if (senders.length === 0) return undefined;
  const steps = Array.from(
    { length },
    (_, index): Step => ({ at: at + apartMs * index, kind: "command", who: chance.pick(senders).name, agent }),
  );
  return { agent, steps };
}
