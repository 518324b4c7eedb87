/** Every rule is proved or said to be open; every id that a test cites is defined. Each check is shown red once. */
import { expect, test } from "vitest";
import { type Finding, type SourceFile, describe as told } from "../src/finding.ts";
import { fileAt, readRepository } from "../src/repository.ts";
import {
  citations,
  citedExist,
  definedOnce,
  failureIds,
  noTestYet,
  protocolIds,
  rulesProved,
} from "../src/rules/ruleIds.ts";

const files = readRepository();
const rules = protocolIds(fileAt(files, "docs/PROTOCOL.md"));
const tables = ["docs/FAILURES.md", "docs/security.md"].map((path) => fileAt(files, path));
const definitions = [...rules, ...tables.flatMap(failureIds)];
// The made-up ids below are no citations.
const cited = citations(files.filter(({ path }) => path !== "tidy/test/ruleIds.test.ts"));

test("there are rules, failures and citations to judge", () => {
  expect(rules.length).toBeGreaterThan(70);
  expect(definitions.length).toBeGreaterThan(rules.length + 94);
  expect(cited.length).toBeGreaterThan(100);
});

test("each rule of the protocol has a test, or stands in open-rules.json with what is missing", () => {
  expect(told(rulesProved(rules, fileAt(files, "docs/open-rules.json"), cited))).toBe("");
});

test("each id that a test cites is defined, and defined once", () => {
  expect(told([...definedOnce(definitions), ...citedExist(cited, definitions)])).toBe("");
});

const makeFile = (path: string, text: string): SourceFile => ({ path, text });
const protocol = makeFile("docs/PROTOCOL.md", "# The protocol\n\n- **AA-1** One.\n- **AA-2** Two, see **AA-1**.\n");
const failures = makeFile("docs/FAILURES.md", "| id | seen |\n|---|---|\n| F01 | a flood |\n| X1 | a loss |\n");
const titles = (...names: readonly string[]): SourceFile =>
  makeFile("packages/a/test/a.test.ts", names.map((name) => `it(${JSON.stringify(name)}, () => {});`).join("\n"));
const open = (reasons: object): SourceFile => makeFile("docs/open-rules.json", JSON.stringify(reasons, null, 2));

function judge(reasons: object, ...names: readonly string[]): readonly Finding[] {
  return rulesProved(protocolIds(protocol), open(reasons), citations([titles(...names)]));
}

test("rules: one with neither test nor reason is red", () => {
  expect(told(judge({}, "[AA-1] holds"))).toBe(
    "docs/PROTOCOL.md:4  AA-2 has no test: cite it in a title as [AA-2], or say in docs/open-rules.json what is missing",
  );
  expect(judge({}, "[AA-1][AA-2] hold")).toEqual([]);
  expect(judge({ "AA-2": "Half of it is missing." }, "[AA-1] holds", "[AA-2] half of it holds")).toEqual([]);
});

test.each([
  [{ "AA-3": "Missing." }, "AA-3 is no rule"],
  [{ "AA-2": "" }, "AA-2: say what is missing"],
  [{ "AA-2": "soon" }, "AA-2: say what is missing"],
  [{ "AA-1": noTestYet }, "AA-1 has a test now"],
])("open rules: %j is red", (reasons, named) => {
  expect(told(judge(reasons, "[AA-1] holds", "[AA-2] holds"))).toContain(named);
});

test("ids: an unknown one is red wherever a title can stand, a known one is not", () => {
  const known = [...protocolIds(protocol), ...failureIds(failures)];
  const red = (text: string): string => told(citedExist(citations([makeFile("e2e/test/a.test.ts", text)]), known));
  for (const text of ['it("[AA-9] x", f)', "it(`[AA-9] x`, f)", 'const t = { "[AA-9] x": f };', 'run("x [Q7] y")']) {
    expect(red(text)).toMatch(/\[(AA-9|Q7)\] is defined neither/);
  }
  expect(red('it("[AA-1][F01] [X1] list[0] [not an id]", f) // [AA-9]')).toBe("");
  expect(citations([makeFile("packages/a/src/a.ts", 'log("[AA-9]")')])).toEqual([]);
});

test("ids: defined twice is red", () => {
  expect(told(definedOnce(protocolIds(makeFile("p", "- **AA-1** x\n- **AA-1** y"))))).toContain(
    "AA-1 is defined twice",
  );
});
