/** The short form of `npm run sim:planted`: ten bugs that every few seeds catch, and the unmodified code over the same. */
import { expect, test } from "vitest";
import { bugs } from "../src/planted/bugs.ts";
import { runPlanted } from "../src/planted/plantedShell.ts";

const quick = [
  "resume-off-by-one",
  "client-takes-twice",
  "tail-takes-gap",
  "roll-up-without-range",
  "first-subscription-only",
  "resume-skips-backlog",
  "undone-operation-still-tells",
  "published-before-durable",
  "follower-names-nobody",
  "life-signs-unheard",
];
const seedsMax = 6;

test("ten planted bugs are caught within a few seeds, and nothing is caught where there is no bug", async () => {
  const { verdicts, clean } = await runPlanted({
    bugs: bugs.filter(({ id }) => quick.includes(id)),
    workers: 2,
    firstSeed: 1,
    least: 1,
    most: seedsMax,
    hints: {},
    heard: () => {},
  });
  expect(clean).toMatchObject({ trouble: undefined });
  expect(clean.outcomes.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(verdicts.filter(({ caught }) => caught === 0).map(({ bug }) => bug.id)).toEqual([]);
  expect(verdicts.map(({ bug }) => bug.id).sort()).toEqual([...quick].sort());
}, 240_000);
