/** The table of docs/security.md names tests that are there. Each way to be wrong is shown red once. */
import { expect, test } from "vitest";
import { type SourceFile, describe as told } from "../src/finding.ts";
import { fileAt, readRepository } from "../src/repository.ts";
import { securityRows, securitySeen } from "../src/rules/security.ts";

const files = readRepository();
const page = fileAt(files, "docs/security.md");

const range = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
/** RELIABILITY.md, section 3. */
const list = [
  ...range("W", 10),
  ...range("security F", 15),
  ...range("T", 9),
  ...range("A", 6),
  ...range("O", 8),
  ...range("L", 4),
  ...range("S", 6),
];

test("the table has every row of the list, once, in its order", () => {
  expect(securityRows(page).map(({ id }) => id)).toEqual(list);
});

test("each row is seen by tests that are there and cite it, or says why there is none", () => {
  // The made-up ids of the tests of this rule are no citations.
  expect(
    told(
      securitySeen(
        page,
        files.filter(({ path }) => !path.startsWith("tidy/test/security") && path !== "tidy/test/ruleIds.test.ts"),
      ),
    ),
  ).toBe("");
});

test("planted: a test that is gone, one that does not cite, and a row that has one after all are red", () => {
  const judge = (seenBy: string, text: string): string => {
    const table: SourceFile = { path: "docs/security.md", text: `| W1 | origins are whole | ${seenBy} |\n` };
    return told(securitySeen(table, [{ path: "a.test.ts", text }]));
  };
  const there = "`a.test.ts`: compares it whole";
  expect(judge(there, 'it("[W1] compares it whole", f)')).toBe("");
  expect(judge(there, 'it("[W1] compares it", f)')).toContain('W1: a.test.ts has no test "compares it whole"');
  expect(judge(there, 'it("compares it whole", f)')).toContain("write [W1] before it");
  expect(judge(`${there}<br>somewhere`, 'it("[W1] compares it whole", f)')).toContain('"somewhere" is not');
  expect(judge("Not here: there is none yet.", 'it("[W1] compares", f)')).toContain("a.test.ts cites it");
  expect(judge("Not here: there is none yet.", 'it("compares", f)')).toBe("");
});
