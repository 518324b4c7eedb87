/** The list of planted bugs keeps pace with the code: each stands once in its file, parses, and changes something. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { plant } from "../src/planted/bug.ts";
import { bugs } from "../src/planted/bugs.ts";
import { unseen } from "../src/planted/unseen.ts";

const root = join(import.meta.dirname, "../..");

test("there are at least forty planted bugs, ten of them made blind, and each has an id of its own", () => {
  expect(new Set([...bugs, ...unseen].map(({ id }) => id)).size).toBe(bugs.length + unseen.length);
  expect(bugs.length).toBeGreaterThanOrEqual(40);
  expect(bugs.filter(({ madeBlind }) => madeBlind).length).toBeGreaterThanOrEqual(10);
});

test.each([...bugs, ...unseen].map((bug) => [bug.id, bug] as const))(
  "%s stands once in its file, and parses",
  (_id, bug) => {
    const source = readFileSync(join(root, bug.file), "utf8");
    const planted = plant(bug, source);
    expect(stripTypeScriptTypes(planted)).not.toBe(stripTypeScriptTypes(source));
  },
);

test("a bug that the code has outgrown is told, by name", () => {
  const bug = { id: "gone", file: "a.ts", find: "once", replace: "", what: "", madeBlind: false };
  expect(() => plant(bug, "nothing")).toThrow('planted bug "gone": its text stands 0 times in a.ts');
  expect(() => plant(bug, "once and once")).toThrow("2 times");
});
