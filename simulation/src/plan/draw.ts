/**
 * From a seed to a plan: each seed draws its own world first, then what happens in it (swarm testing).
 *
 * Which faults exist at all, how often, how long, how many people and nodes: a seed with everything a little would
 * find less than many seeds with few things each, much of them. Draws of one purpose come from a stream of their own.
 */
import { type Dice, dice } from "../core/dice.ts";
import { logs as allLogs, boardStream, unknownStream, workspaces } from "../world/app.ts";
import type { AgentPlan, PersonPlan } from "./cast.ts";
import { drawFaults } from "./drawFaults.ts";
import type { Frame } from "./frame.ts";
import type { Plan, Step } from "./plan.ts";
import { drawScenes } from "./scenes.ts";

/** Around a failover. */
const calmMs = 120_000;

export function drawPlan(seed: number): Plan {
  const shape = dice(seed, "shape");
  const nodes = shape.chance(0.35) ? 2 : 1;
  const durationMs = 1_000 * shape.integer(120, 480);
  const logs = allLogs.slice(0, shape.integer(1, 3));
  const used = shape.chance(0.3) ? workspaces : workspaces.slice(0, 1);
  const skews = shape.chance(0.3);
  // What a restored store took from requests and commands, nobody's books would hold: then people only read and write.
  const calm = drawCalm(dice(seed, "calm"), durationMs);
  const isRestored = shape.chance(0.06) || calm !== undefined;
  const people = drawPeople(shape, logs, used, skews).map((person) => {
    const keeps =
      person.kind === "page" && person.browser === undefined && dice(seed, "keeps", person.name).chance(0.4);
    return keeps ? { ...person, keeps } : person;
  });
  const frame = {
    seed,
    durationMs,
    nodes: Array.from({ length: nodes }, (_, index) => ({
      name: `node${index + 1}`,
      skewMs: skews ? shape.integer(-5_000, 5_000) : 0,
    })),
    isDatabaseSeparate: nodes > 1 || shape.chance(0.3),
    storeLatencyMs: shape.pick([0, 1, 2, 5, 20]),
    ...(shape.chance(0.2) && { recordsMs: shape.pick([20_000, 60_000]), workMs: shape.pick([10_000, 60_000]) }),
    ...(shape.chance(0.3) && { messages: { perSecond: 20, burst: 20 } }),
    bus: {
      loss: shape.pick([0, 0, 0.1, 0.5, 1]),
      duplication: shape.pick([0, 0, 0.2, 0.5]),
      delayMs: shape.pick([0, 1, 20, 500]),
    },
    logs,
    workspaces: [...used],
    people,
    agents: isRestored ? [] : drawAgents(shape, used),
  };
  const all = { ...frame, isRestored, calm };
  const steps = [
    ...drawDoings(dice(seed, "doings"), all),
    ...drawScenes(dice(seed, "scenes"), all),
    ...drawFaults(dice(seed, "faults"), all),
  ];
  const isCalm = ({ at, kind }: Step): boolean =>
    kind !== "failOver" && calm !== undefined && at >= calm.from && at < calm.until;
  const kept = steps.filter((step) => !isCalm(step));
  return { ...frame, steps: kept.sort((one, other) => one.at - other.at) };
}

/** Long enough for what was under way to end before, and for everybody to be back after. */
function drawCalm(chance: Dice, durationMs: number): Frame["calm"] {
  if (!chance.chance(0.04) || durationMs < 2 * calmMs) return undefined;
  const from = chance.integer(30_000, durationMs - calmMs);
  return { from, until: from + calmMs };
}

function drawPeople(shape: Dice, logs: readonly string[], used: readonly string[], skews: boolean): PersonPlan[] {
  const names = ["ada", "bob", "cleo", "dan", "eve", "finn", "gus", "hana", "ivo", "jun"];
  const count = shape.integer(2, 8);
  const tabs = shape.chance(0.3) ? tabsOf(shape, logs, shape.pick(used)) : [];
  const alone = names.slice(0, count).map((name) => {
    const reads = logs
      .filter(() => shape.chance(0.8))
      .map((stream) => ({ stream, from: shape.pick(["start", "latest"] as const) }));
    return {
      name,
      kind: shape.chance(0.5) ? ("program" as const) : ("page" as const),
      workspace: shape.pick(used),
      role: shape.chance(0.8) ? ("operator" as const) : ("admin" as const),
      reads: [{ stream: boardStream, from: shape.pick(["start", "latest"] as const) }, ...reads],
      latencyMs: shape.pick([1, 5, 20, 80, 200]),
      jitterMs: shape.pick([0, 1, 10, 100]),
      skewMs: skews ? shape.integer(-120_000, 120_000) : 0,
      tokenLifeMs: shape.pick([90_000, 180_000, 900_000]),
      hasOpaqueToken: shape.chance(0.3),
      ...shape.pick([{}, {}, {}, {}, {}, {}, { stumbles: 0.05 }, { chokes: 0.02 }]),
    };
  });
  return [...alone, ...tabs];
}

/** Two to four tabs of one browser: one person, one socket. */
function tabsOf(shape: Dice, logs: readonly string[], workspace: string): PersonPlan[] {
  const common = {
    kind: "page" as const,
    browser: "uma",
    workspace,
    role: "operator" as const,
    latencyMs: shape.pick([1, 20, 80]),
    jitterMs: shape.pick([0, 10]),
    skewMs: 0,
    tokenLifeMs: shape.pick([90_000, 900_000]),
    hasOpaqueToken: false,
  };
  return Array.from({ length: shape.integer(2, 4) }, (_, index) => ({
    ...common,
    name: `uma#${index + 1}`,
    reads: [
      { stream: boardStream, from: shape.pick(["start", "latest"] as const) },
      { stream: shape.pick(logs), from: "start" as const },
    ],
  }));
}

function drawAgents(shape: Dice, used: readonly string[]): AgentPlan[] {
  const count = shape.pick([0, 0, 1, 2, 3]);
  return ["shell", "robot", "coder"].slice(0, count).map((name) => ({
    name,
    workspace: shape.pick(used),
    latencyMs: shape.pick([1, 5, 20, 80]),
    jitterMs: shape.pick([0, 1, 10, 100]),
  }));
}

/** Bursts and trickles: each person has a rate of their own. */
function drawDoings(chance: Dice, { durationMs, people, logs, agents, isRestored }: Frame): Step[] {
  const steps: Step[] = [];
  for (const { name: who, workspace, kind } of people) {
    const theirs = agents.filter((agent) => agent.workspace === workspace);
    if (theirs.length > 0 && chance.chance(0.7))
      for (let at = 2_000 + chance.exponentialMs(15_000); at < durationMs; at += 500 + chance.exponentialMs(40_000))
        steps.push({ at, kind: "command", who, agent: chance.pick(theirs).name });
    const apartMs = chance.pick(kind === "program" ? [3_000, 8_000, 25_000, 60_000] : [5_000, 12_000, 30_000, 60_000]);
    const burst = chance.pick([1, 3, 10, 40]);
    let lane = 0;
    for (let at = 100 + chance.exponentialMs(apartMs); at < durationMs; at += 1 + chance.exponentialMs(apartMs)) {
      const draw = chance.fraction();
      if (draw < 0.7 && kind === "program") {
        const count = chance.integer(1, burst);
        const poison = chance.chance(0.06) ? { poisonAt: chance.integer(0, count - 1) } : {};
        steps.push({ at, kind: "publish", who, stream: chance.pick(logs), count, ...poison });
      } else if (draw < 0.9 && !isRestored) {
        lane = chance.chance(0.3) ? lane + 1 : lane;
        const method = chance.pick(["board.add", "board.add", "board.add", "board.refuse", "board.break"] as const);
        const isDurable = chance.chance(0.3);
        // Of one lane all or none: what is kept may not follow what a reload forgets.
        const name = isDurable ? `kept${lane}` : `lane${lane}`;
        const follows = { ...(chance.chance(0.6) && { lane: name }), ...(isDurable && { isDurable }) };
        steps.push({ at, kind: "request", who, method, ...follows });
        if (chance.chance(0.35)) steps.push({ at: at + 1, kind: "request", who, method: "board.add", ...follows });
      } else if (draw < 0.94) steps.push({ at, kind: "count", who });
      else if (draw < 0.97) steps.push({ at, kind: "signal", who, stream: boardStream });
      else
        steps.push({
          at,
          kind: "read",
          who,
          stream: chance.pick([boardStream, ...logs, unknownStream]),
          from: "start",
        });
    }
  }
  return steps;
}
