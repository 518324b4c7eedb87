/**
 * The faults of a seed: which kinds exist, and when each strikes.
 *
 * A seed draws three to seven kinds and a mean distance for each; what remains is quiet, so that faults that hide
 * each other are not always together. Invariant: a fault names its length, and healing ends it anyway.
 */
import { hostilePieces } from "../actors/stranger.ts";
import type { Dice } from "../core/dice.ts";
import type { Frame } from "./frame.ts";
import type { Fault, Step } from "./plan.ts";

type Maker = (chance: Dice, frame: Frame) => Fault;

/** Paths, sleeps and the like strike agents' machines too. */
const who = (chance: Dice, { people, agents }: Frame): string => chance.pick([...people, ...agents]).name;
const page = (chance: Dice, { people }: Frame): string => chance.pick(people).name;
const agent = (chance: Dice, { agents }: Frame): string => chance.pick(agents).name;
const node = (chance: Dice, { nodes }: Frame): string => chance.pick(nodes).name;

const makers: Readonly<Record<string, Maker>> = {
  cut: (chance, frame) => ({
    kind: "cut",
    who: who(chance, frame),
    seenBy: chance.pick(["both", "both", "client", "server", "nobody"]),
  }),
  shut: (chance, frame) => ({
    kind: "shut",
    who: who(chance, frame),
    ways: chance.pick(["up", "down", "both"]),
    ms: chance.pick([500, 5_000, 25_000, 60_000]),
  }),
  slow: (chance, frame) => ({
    kind: "slow",
    who: who(chance, frame),
    latencyMs: chance.pick([300, 1_000, 3_000]),
    ms: chance.integer(2_000, 40_000),
  }),
  narrow: (chance, frame) => ({
    kind: "narrow",
    who: who(chance, frame),
    bytesPerMs: chance.pick([0.5, 2, 10]),
    ms: chance.integer(5_000, 60_000),
  }),
  stall: (chance, frame) => ({ kind: "stall", who: page(chance, frame), ms: chance.integer(1_000, 25_000) }),
  unreachable: (chance, frame) => ({ kind: "unreachable", who: who(chance, frame), ms: chance.integer(1_000, 60_000) }),
  crash: (chance, frame) => ({
    kind: "crash",
    node: node(chance, frame),
    point: chance.pick(["now", "before", "between", "between", "answering"]),
    downMs: chance.pick([200, 1_000, 10_000]),
    isSilent: chance.chance(0.15),
  }),
  stopServer: (chance, frame) => ({
    kind: "stopServer",
    node: node(chance, frame),
    ms: chance.pick([500, 2_500, 12_000, 40_000]),
  }),
  drain: (chance, frame) => ({ kind: "drain", node: node(chance, frame), downMs: chance.integer(100, 3_000) }),
  storeDown: (chance) => ({ kind: "storeDown", ms: chance.pick([100, 2_000, 20_000, 60_000]) }),
  storeSlow: (chance) => ({
    kind: "storeSlow",
    latencyMs: chance.pick([100, 400, 1_500]),
    ms: chance.integer(2_000, 30_000),
  }),
  storeHang: (chance) => ({ kind: "storeHang", ms: chance.pick([1_000, 8_000, 30_000]) }),
  diskFull: (chance) => ({ kind: "diskFull", ms: chance.integer(1_000, 30_000) }),
  unreadable: (chance, { logs }) => ({
    kind: "unreadable",
    stream: chance.pick(logs),
    ms: chance.integer(2_000, 40_000),
  }),
  unknownCommit: (chance, { isDatabaseSeparate }) => ({
    kind: "unknownCommit",
    how: isDatabaseSeparate ? chance.pick(["done", "late"]) : "done",
  }),
  busSilence: (chance) => ({ kind: "busSilence", ms: chance.integer(1_000, 40_000) }),
  clockJump: (chance, frame) =>
    chance.chance(0.3)
      ? { kind: "clockJump", who: node(chance, frame), ms: chance.pick([-60_000, -10_000, 10_000, 60_000, 3_600_000]) }
      : { kind: "clockJump", who: who(chance, frame), ms: chance.pick([-3_600_000, -60_000, 60_000, 3_600_000]) },
  sleep: (chance, frame) => ({
    kind: "sleep",
    who: who(chance, frame),
    ms: chance.pick([3_000, 20_000, 100_000]),
    isCounted: chance.chance(0.5),
  }),
  /** So short that nobody is missed, and longer than a timer may be late (LV-3). */
  nap: (chance, frame) => ({
    kind: "sleep",
    who: who(chance, frame),
    ms: chance.integer(1_200, 4_500),
    isCounted: true,
  }),
  sleepAfterPing: (chance, frame) => ({
    kind: "sleep",
    who: who(chance, frame),
    ms: chance.integer(11_500, 20_000),
    isCounted: true,
    isAfterPing: true,
  }),
  throttle: (chance, frame) => ({
    kind: "throttle",
    who: page(chance, frame),
    everyMs: chance.pick([1_000, 60_000]),
    ms: chance.integer(10_000, 120_000),
  }),
  issuerDown: (chance) => ({ kind: "issuerDown", ms: chance.integer(2_000, 60_000) }),
  rotateKey: () => ({ kind: "rotateKey" }),
  revoke: (chance, frame) => ({ kind: "revoke", who: page(chance, frame) }),
  newIdentity: (chance, frame) => ({
    kind: "newIdentity",
    who: page(chance, frame),
    id: `guest${chance.integer(1, 3)}`,
    workspace: chance.pick(frame.workspaces),
  }),
  hostile: (chance) => ({ kind: "hostile", piece: chance.integer(0, hostilePieces.length - 1) }),
  oldClient: () => ({ kind: "oldClient" }),
  leaderDies: (chance, frame) => ({
    kind: "leaderDies",
    browser: chance.pick(frame.people.flatMap(({ browser }) => browser ?? [])),
    backMs: chance.pick([0, 500, 5_000, 40_000]),
  }),
  restore: (chance) => ({ kind: chance.chance(0.5) ? "backUp" : "restore" }),
  agentCrash: (chance, frame) => ({
    kind: "agentCrash",
    agent: agent(chance, frame),
    backMs: chance.pick([500, 3_000, 20_000, 40_000]),
    isSilent: chance.chance(0.3),
  }),
  claimTrap: (chance, frame) => ({
    kind: "claimTrap",
    agent: agent(chance, frame),
    trap: chance.pick(["beforeClaim", "afterClaim"]),
  }),
  twin: (chance, frame) => ({ kind: "twin", agent: agent(chance, frame), ms: chance.integer(1_000, 25_000) }),
  closePage: (chance, frame) => ({
    kind: "closePage",
    who: page(chance, frame),
    backMs: chance.pick([0, 50, 2_000, 30_000]),
    isSilent: chance.chance(0.3),
  }),
};

/** What everybody is soon back from. */
const calmKinds: ReadonlySet<string> = new Set(["cut", "crash", "closePage", "nap", "latency"]);

export function drawFaults(chance: Dice, frame: Frame): Step[] {
  const kinds = Object.keys(makers).filter(
    (kind) =>
      (kind !== "leaderDies" || frame.people.some(({ browser }) => browser !== undefined)) &&
      (kind !== "restore" || (frame.isRestored && frame.calm === undefined)) &&
      (frame.calm === undefined || calmKinds.has(kind)) &&
      (kind !== "busSilence" || frame.nodes.length > 1) &&
      (!["agentCrash", "claimTrap", "twin"].includes(kind) || frame.agents.length > 0),
  );
  const count = chance.integer(3, 8);
  const steps: Step[] = [];
  if (frame.calm !== undefined) {
    const { from, until } = frame.calm;
    steps.push({ at: from - chance.integer(3_000, 20_000), kind: "backUp" });
    steps.push({ at: (from + until) / 2, kind: "failOver" });
  } else if (frame.isRestored) {
    steps.push({ at: chance.integer(5_000, 30_000), kind: "backUp" });
    steps.push({ at: chance.integer(35_000, 100_000), kind: "restore" });
    // An image so fresh that some stream has not grown since.
    const at = chance.integer(40_000, 100_000);
    steps.push({ at, kind: "backUp" }, { at: at + chance.integer(100, 3_000), kind: "restore" });
  }
  for (let drawn = 0; drawn < count; drawn += 1) {
    const make = makers[chance.pick(kinds)];
    if (make === undefined) continue;
    const apartMs = chance.pick([5_000, 15_000, 40_000]);
    for (let at = 500 + chance.exponentialMs(apartMs); at < frame.durationMs; at += 50 + chance.exponentialMs(apartMs))
      steps.push(...withCompany(chance, { at, ...make(chance, frame) }, frame));
  }
  return steps;
}

/**
 * What makes it worse: who signs in at a page finds what its last user had just asked, and nobody had answered; a page is
 * loaded while no token can be had.
 */
function withCompany(chance: Dice, step: Step, { people, isRestored }: Frame): Step[] {
  if (chance.chance(0.3)) return [step];
  if (step.kind === "issuerDown")
    return [step, { at: step.at + 50, kind: "closePage", who: chance.pick(people).name, backMs: 50, isSilent: false }];
  // What was done, and then lost with an older image, would be done twice, and rightly.
  if (step.kind !== "newIdentity" || isRestored) return [step];
  const { at, who: name } = step;
  const asked = Array.from(
    { length: 3 },
    (_, index): Step => ({ at: at + 2 + 20 * index, kind: "request", who: name, method: "board.add" }),
  );
  return [step, { at: at + 1, kind: "cut", who: name, seenBy: chance.pick(["both", "server"]) }, ...asked];
}
