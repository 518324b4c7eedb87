/**
 * Scenes: a few steps that belong together, where single draws would hardly ever come together by themselves.
 *
 * Each needs a moment that is rare, and is real: much at once, a look between a commit and its notice, a store that comes
 * back when nobody says anything, somebody who is away while a credential ends. A seed draws few of them.
 */
import type { Dice } from "../core/dice.ts";
import { judgedLate, manyPosts, unreadableReturn } from "./crowdScenes.ts";
import type { Frame } from "./frame.ts";
import { type Step, settleMs } from "./plan.ts";
import { copiedMachine, crowdedAgent, lookingBack } from "./workScenes.ts";

const scenes = [
  padded,
  refusals,
  lateLooks,
  quietReturn,
  awayAtTheEnd,
  manyPosts,
  unreadableReturn,
  judgedLate,
  crowdedAgent,
  copiedMachine,
] as const;
const scenePart = 0.15;
const lastWordsPart = 0.4;

export function drawScenes(chance: Dice, frame: Frame): Step[] {
  if (frame.calm !== undefined) return [];
  const steps = scenes.map((scene) => (chance.chance(scenePart) ? scene(chance, frame) : []));
  // What is said at the end would wake those whom this scene leaves behind.
  const isLate = (steps[scenes.indexOf(lateLooks)] ?? []).length > 0;
  const last = chance.chance(lastWordsPart) && !isLate ? lastWords(chance, frame) : [];
  return [...steps.flat(), ...last, ...lookingBack(chance, frame)];
}

/** When all is well again somebody speaks, and everybody must hear it: also where the bus still loses what it carries (ST-14). */
function lastWords(chance: Dice, { durationMs, people, logs, isRestored }: Frame): Step[] {
  const at = durationMs + settleMs + 1_000;
  return people.flatMap(({ name: who, kind }, index): Step[] => {
    if (kind === "program")
      return [{ at: at + 500 * index, kind: "publish", who, stream: chance.pick(logs), count: 1 }];
    return isRestored ? [] : [{ at: at + 500 * index, kind: "request", who, method: "board.add" }];
  });
}

/** More bytes than a slow reader takes (ST-11). */
function padded(chance: Dice, { durationMs, people, logs }: Frame): Step[] {
  const writer = people.find(({ kind }) => kind === "program");
  if (writer === undefined) return [];
  const at = chance.integer(10_000, durationMs - 30_000);
  const stream = chance.pick(logs);
  const bursts = Array.from(
    { length: 6 },
    (_, index): Step => ({
      at: at + 1_500 * (index + 1),
      kind: "publish",
      who: writer.name,
      stream,
      count: 8,
      padBytes: 100_000,
    }),
  );
  return [{ at, kind: "stall", who: chance.pick(people).name, ms: 20_000 }, ...bursts];
}

/** More refusals than requests may be under way (AD-5). */
function refusals(chance: Dice, { durationMs, people, isRestored }: Frame): Step[] {
  if (isRestored) return [];
  const who = chance.pick(people).name;
  const at = chance.integer(10_000, durationMs - 30_000);
  return Array.from(
    { length: 80 },
    (_, index): Step => ({ at: at + 50 * index, kind: "request", who, method: "board.refuse" }),
  );
}

/** Somebody who has read a stream's last event at one node comes back at another, which has not heard of it (ST-13, ST-14). */
function lateLooks(chance: Dice, { durationMs, nodes, people, logs }: Frame): Step[] {
  const writers = people.filter(({ kind }) => kind === "program");
  if (nodes.length < 2 || writers.length === 0) return [];
  return logs.flatMap((stream): Step[] => {
    const writer = chance.pick(writers);
    const at = durationMs - chance.integer(1_500, 3_000);
    const moves = people
      .filter(({ workspace, browser }) => workspace === writer.workspace && browser === undefined && chance.chance(0.4))
      .flatMap(({ name }): Step[] => {
        const leavesAt = at + chance.integer(20, 500);
        return [
          { at: leavesAt, kind: "cut", who: name, seenBy: "both" },
          { at: leavesAt + 60, kind: "reconnect", who: name },
        ];
      });
    return [
      { at: at - 100, kind: "busSilence", ms: 4_000 },
      { at, kind: "publish", who: writer.name, stream, count: 1 },
      ...moves,
    ];
  });
}

/** The store is down when everybody comes back, and there again when nobody has anything to say (AD-2, OP-4). */
function quietReturn(chance: Dice, { durationMs, people, isRestored }: Frame): Step[] {
  if (isRestored) return [];
  const at = durationMs - 25_000;
  const asking = Array.from(
    { length: 6 },
    (_, index): Step => ({ at: at + 500 + 1_000 * index, kind: "count", who: chance.pick(people).name }),
  );
  const cuts = people.map(
    ({ name }): Step => ({
      at: at + chance.integer(12_000, 15_000),
      kind: "cut",
      who: name,
      seenBy: "both",
    }),
  );
  return [{ at, kind: "storeDown", ms: 60_000 }, ...asking, ...cuts];
}

/** Away from before the credential's end is told until right after it ended, with one that tells its holder nothing (AU-4, AU-7). */
function awayAtTheEnd(chance: Dice, { people }: Frame): Step[] {
  return people
    .filter(({ hasOpaqueToken, browser }) => hasOpaqueToken && browser === undefined)
    .flatMap(({ name, tokenLifeMs }): Step[] => {
      const toldMs = tokenLifeMs - Math.min(60_000, tokenLifeMs / 2);
      const at = toldMs - chance.integer(1_000, 5_000);
      const ms = tokenLifeMs - at + chance.integer(500, 8_000);
      return [
        { at, kind: "unreachable", who: name, ms },
        { at: at + 1, kind: "cut", who: name, seenBy: "both" },
        // The machine says that its network is there again (CL-5).
        { at: at + ms + 1, kind: "hint", who: name, hint: "online" },
      ];
    });
}
