/** The list of planted faults names tests that are there. */
import { expect, test } from "vitest";
import { describe as told } from "../src/finding.ts";
import { fileAt, readRepository } from "../src/repository.ts";
import { plantedFaults, plantedTestsExist } from "../src/rules/planted.ts";

const files = readRepository();
const failures = fileAt(files, "docs/FAILURES.md");

test("every test that a planted fault turned red is there", () => {
  expect(told(plantedTestsExist(failures, files))).toBe("");
});

test("each entry on storms, protocol and delivery was planted", () => {
  const planted = new Set(plantedFaults(failures).map(({ id }) => id));
  const range = (from: number, to: number): string[] =>
    Array.from({ length: to - from + 1 }, (_, index) => `F${String(from + index).padStart(2, "0")}`);
  expect([...range(1, 23), ...range(38, 48), ...range(63, 74)].filter((id) => !planted.has(id))).toEqual([]);
});

test("planted: a test that is gone, or has another name, is red", () => {
  const table = "| `F01` | the count is forgotten | `a.test.ts`: [F01] comes back |\n";
  const red = (path: string, text: string): string =>
    told(plantedTestsExist({ path: "docs/FAILURES.md", text: table }, [{ path, text }]));
  expect(red("a.test.ts", 'it("[F01] comes back later", f)')).toBe("");
  expect(red("a.test.ts", 'it("[F01] stays", f)')).toContain('F01: a.test.ts has no test "[F01] comes back"');
  expect(red("b.test.ts", 'it("[F01] comes back", f)')).toContain("docs/FAILURES.md:1");
});
