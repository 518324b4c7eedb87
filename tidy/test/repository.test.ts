import { expect, test } from "vitest";
import { type Finding, describe as told } from "../src/finding.ts";
import { fileAt, isCode, readRepository } from "../src/repository.ts";
import { importGraph } from "../src/rules/importGraph.ts";
import { cycles, direction } from "../src/rules/imports.ts";
import { dependencies, documentedCommands, lockfile, npmrc, scripts, versions } from "../src/rules/manifests.ts";
import { fileLength, header } from "../src/rules/shape.ts";
import { shells } from "../src/rules/shells.ts";
import { code, words } from "../src/rules/words.ts";

const files = readRepository();
const sources = files.filter(isCode);
const root = fileAt(files, "package.json");
const packages = files.filter(({ path }) => /^(packages\/[^/]+|examples\/[^/]+|e2e)\/package\.json$/.test(path));
const documents = files.filter(({ path }) => /^(README|CONTRIBUTING)\.md$/.test(path));
const graph = importGraph(sources, packages);

test("there is something to judge", () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(graph.imports.length).toBeGreaterThan(50);
  expect(documents.map(({ path }) => path)).toEqual(["CONTRIBUTING.md", "README.md"]);
});

const rules: Readonly<Record<string, () => readonly Finding[]>> = {
  "imports lead to what a package exports": () => graph.broken,
  "imports go one way": () => direction(graph.imports),
  "imports make no cycle": () => cycles(graph.imports),
  "no file is longer than a noun": () => sources.flatMap(fileLength),
  "every module opens with its header": () => sources.flatMap(header),
  "clock, chance and timers only in shells": () => sources.flatMap(shells),
  "[S5] no banned word": () => files.flatMap(words),
  "no any, no kernel file tree outside a port": () => sources.flatMap(code),
  "one version for all packages": () => versions(root, packages),
  "[S1] [S3] every package by its hash, none below its floor": () => lockfile(fileAt(files, "package-lock.json")),
  "[S4] published packages ask for few others": () => dependencies(packages),
  "[S2] npm runs no package's script": () => npmrc(fileAt(files, ".npmrc")),
  "npm scripts need no shell": () => [root, ...packages].flatMap(scripts),
  "documents name commands that exist": () => documents.flatMap((document) => documentedCommands(document, root)),
};

test.each(Object.entries(rules))("%s", (_name, findings) => {
  expect(told(findings())).toBe("");
});
