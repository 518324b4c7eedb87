/**
 * Scenes of a crowd: many who do the same in one moment, while one thing is not as it should be.
 *
 * What one alone would hardly ever meet, a crowd meets for sure: a commit between two looks, three reads that fail in a
 * row, a token that nobody can judge yet.
 */
import type { Dice } from "../core/dice.ts";
import { logPrefix } from "../world/app.ts";
import type { Frame } from "./frame.ts";
import type { Step } from "./plan.ts";

/** Pages are loaded while somebody posts as fast as can be: what a snapshot holds changes while it is read (ST-9). */
export function manyPosts(chance: Dice, { durationMs, people, isRestored }: Frame): Step[] {
  if (isRestored) return [];
  const at = chance.integer(10_000, durationMs - 30_000);
  const { name: asker, workspace } = chance.pick(people);
  const posts = Array.from(
    { length: 40 },
    (_, index): Step => ({ at: at + 15 * index, kind: "request", who: asker, method: "board.add" }),
  );
  const loads = people
    .filter((person) => person.name !== asker && person.workspace === workspace && person.browser === undefined)
    .map(
      ({ name }): Step => ({
        at: at + chance.integer(0, 300),
        kind: "closePage",
        who: name,
        backMs: 0,
        isSilent: false,
      }),
    );
  return [...posts, ...loads];
}

/** All come back at once, and of what they read no log can be read: one statement's trouble, three times in a row (ST-8). */
export function unreadableReturn(chance: Dice, { durationMs, people }: Frame): Step[] {
  const at = chance.integer(10_000, durationMs - 30_000);
  return [
    { at, kind: "unreadable", stream: logPrefix, ms: 4_000 },
    ...people.map(({ name }): Step => ({ at: at + 50, kind: "cut", who: name, seenBy: "both" })),
    ...people.map(({ name }): Step => ({ at: at + 600, kind: "reconnect", who: name })),
  ];
}

/** All are loaded with tokens of a new key, and the issuer is gone before anybody has judged one (AU-4). */
export function judgedLate(chance: Dice, { durationMs, people }: Frame): Step[] {
  const at = chance.integer(10_000, durationMs - 40_000);
  const loads = people
    .filter(({ browser }) => browser === undefined)
    .map(({ name }): Step => ({ at: at + 10, kind: "closePage", who: name, backMs: 0, isSilent: false }));
  return [{ at, kind: "rotateKey" }, ...loads, { at: at + 42, kind: "issuerDown", ms: 15_000 }];
}
