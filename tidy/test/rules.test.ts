/** Each rule shown red once, on a line made up for it, and green on the nearest one that is right. */
import { expect, test } from "vitest";
import { type Finding, type SourceFile, describe as told } from "../src/finding.ts";
import { importGraph } from "../src/rules/importGraph.ts";
import { cycles, direction, roomOf } from "../src/rules/imports.ts";
import { dependencies, documentedCommands, lockfile, npmrc, scripts, versions } from "../src/rules/manifests.ts";
import { fileLength, header } from "../src/rules/shape.ts";
import { isShell, shells } from "../src/rules/shells.ts";
import { code, words } from "../src/rules/words.ts";

const core = "packages/client/src/core/step.ts";

function makeFile(text: string, path = core): SourceFile {
  return { path, text };
}

function expectRed(findings: readonly Finding[], named: string): void {
  expect(told(findings)).toContain(named);
}

test.each([
  ["Date.now()", "Date.now"],
  ["const now = Date.now;", "Date.now"],
  ["new Date()", "new Date()"],
  ["Math.random()", "Math.random"],
  ["performance.now()", "performance.now"],
  ["setTimeout(() => {}, 1)", "setTimeout"],
  ["globalThis.setInterval(() => {}, 1)", "globalThis.setInterval"],
  ["const ports = { setTimeout };", "setTimeout"],
])("shells: `%s` in a core is red", (text, named) => {
  expectRed(shells(makeFile(text)), named);
});

test.each(["clock.setTimeout(() => {}, 1)", "new Date(at)", "// Date.now()", 'const text = "Math.random()";'])(
  "shells: `%s` in a core is green",
  (text) => {
    expect(shells(makeFile(text))).toEqual([]);
  },
);

test("shells: a shell may read the clock", () => {
  for (const path of [
    "a/src/browserShell.ts",
    "a/src/shell/x.ts",
    "a/src/ports/x.ts",
    "a/src/main.ts",
    "a/test/x.ts",
  ]) {
    expect(isShell(path), path).toBe(true);
  }
  expect(isShell("packages/client/src/remain.ts")).toBe(false);
  expect(shells(makeFile("Date.now()", "packages/client/src/nodeShell.ts"))).toEqual([]);
});

test("shape: a long file is red unless its header says why", () => {
  const long = "\n".repeat(451);
  expectRed(fileLength(makeFile(long)), "451 lines");
  expect(fileLength(makeFile(`/** Long because it is one table. */${long}`))).toEqual([]);
  expect(fileLength(makeFile("\n".repeat(450)))).toEqual([]);
});

test("shape: a module without a header, or with an empty one, is red", () => {
  expectRed(header(makeFile("export const x = 1;")), "no header comment");
  expectRed(header(makeFile("/** Things. */\nexport const x = 1;")), "says too little");
  expect(header(makeFile("#!/usr/bin/env node\n/** Why this module exists, at sufficient length. */"))).toEqual([]);
});

test.each([
  [["// TO", "DO: later"], "TODO"],
  [["it.on", "ly('x', () => {})"], "it.only"],
  [["test.sk", "ip('x', () => {})"], "test.skip"],
  [["// @ts-ig", "nore"], "@ts-ignore"],
  [["// @ts-expect-", "error\nx()"], "@ts-expect-error"],
  [["element.inner", "HTML = text"], ".innerHTML"],
  [["ev", "al(text)"], "eval("],
  [["read('/ho", "me/someone/notes')"], "/home/someone"],
  [["fetch('https://regis", "try.example.org')"], "registry.example.org"],
])("words: %j is red", (parts, named) => {
  expectRed(words(makeFile(parts.join(""))), named);
});

test("words: documents may speak of what code may not hold", () => {
  expect(words(makeFile("A TODO list", "README.md"))).toEqual([]);
  expect(words(makeFile("// @ts-expect-error: a number is refused here"))).toEqual([]);
  expectRed(words(makeFile(`const key = "hfk_${"a".repeat(50)}";`)), "works somewhere");
  expectRed(words(makeFile(["-----BEGIN ", "PRIVATE KEY-----"].join(""), "deploy/key.pem")), "a private key");
  expectRed(words(makeFile(`"resolved": "https://x.example/ws.tgz"`, "package-lock.json")), "resolved");
});

test("code: any and the kernel's file tree are red", () => {
  expectRed(code(makeFile("const x: any = 1;")), "`any`");
  expect(
    code(makeFile("// biome-ignore lint/suspicious/noExplicitAny: a reason of one whole sentence\nconst x: any = 1;")),
  ).toEqual([]);
  expect(code(makeFile('const any = "any"; // any'))).toEqual([]);
  expectRed(code(makeFile('read("/proc/self/stat")')), "/proc/self/stat");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the fixture is the text of a template.
  expectRed(code(makeFile("read(`/proc/${id}/stat`)")), "/proc/");
  expect(code(makeFile('read("/proc/self/stat")', "packages/agent/src/ports/linux.ts"))).toEqual([]);
});

const manifest = (path: string, content: object): SourceFile => makeFile(JSON.stringify(content), path);
const manifests = [
  manifest("packages/protocol/package.json", { name: "@holdfast/protocol", exports: { ".": "./src/index.ts" } }),
  manifest("packages/server/package.json", { name: "@holdfast/server", exports: { ".": "./src/index.ts" } }),
];

/** The graph of made-up files: path → text. */
function graphOf(texts: Readonly<Record<string, string>>) {
  return importGraph(
    Object.entries(texts).map(([path, text]) => makeFile(text, path)),
    manifests,
  );
}

test.each([
  ['import { x } from "@holdfast/server";', "a value"],
  ['import type { X } from "@holdfast/server";', "a type"],
  ['import { type X } from "@holdfast/server";', "an inline type"],
  ['export * from "@holdfast/server";', "a re-export"],
  ['const x = await import("@holdfast/server");', "a dynamic import"],
  ['let x: import("@holdfast/server").X;', "a type by import()"],
  ['import "../../../server/src/index.ts";', "a path"],
])("imports: client may not import server by %s (%s)", (text) => {
  const { imports } = graphOf({ [core]: text, "packages/server/src/index.ts": "" });
  expectRed(direction(imports), "client may not import server");
});

test("imports: nobody imports a leaf, and a room unknown to the table is red", () => {
  const leaf = { "e2e/src/proxy.ts": "", "packages/agent/src/x.ts": 'import "../../../e2e/src/proxy.ts";' };
  expectRed(direction(graphOf(leaf).imports), "agent may not import e2e");
  const unknown = { "packages/new/src/x.ts": 'import "./y.ts";', "packages/new/src/y.ts": "" };
  expectRed(direction(graphOf(unknown).imports), '"new" is no room');
  expect(roomOf("packages/control/contract/index.ts")).toBe("contract");
  expect(roomOf("packages/control/src/plugin.ts")).toBe("control");
});

test.each([
  ["packages/server/src/gateway/a.ts", "../store/schema.ts", "never sees SQL"],
  ["packages/server/src/streams/a.ts", "../gateway/b.ts", "neither sockets nor users"],
  ["packages/server/src/streams/a.ts", "../auth/b.ts", "neither sockets nor users"],
  ["packages/server/src/auth/a.ts", "../gateway/b.ts", "knows no connection"],
  ["packages/server/src/store/a.ts", "../http/b.ts", "neither HTTP nor sockets"],
  ["packages/server/src/observe/a.ts", "../store/b.ts", "asks nobody"],
  ["packages/client/src/a.ts", "../../protocol/schema/index.ts", "No schema is loaded in a browser"],
  ["packages/client/src/core/a.ts", "../shell/b.ts", "it knows no shell"],
  ["packages/client/src/a.ts", "../test/b.ts", "does not import tests"],
  ["simulation/src/judge/a.ts", "../../../packages/protocol/src/limits.ts", "shares no code with what it judges"],
])("imports: %s may not import %s", (from, specifier, sentence) => {
  const to = new URL(specifier, `file:///${from}`).pathname.slice(1);
  expectRed(direction(graphOf({ [from]: `import "${specifier}";`, [to]: "" }).imports), sentence);
});

test("imports: the gateway may ask the store's port; the page may take types of a schema", () => {
  const port = {
    "packages/server/src/gateway/a.ts": 'import "../store/port.ts";',
    "packages/server/src/store/port.ts": "",
  };
  expect(direction(graphOf(port).imports)).toEqual([]);
  const types = {
    "packages/dashboard/src/a.ts": 'import type { A } from "../../control/contract/index.ts";',
    "packages/control/contract/index.ts": "",
  };
  expect(direction(graphOf(types).imports)).toEqual([]);
});

test("imports: a worker by URL counts, and an unknown subpath is red", () => {
  const worker = {
    "packages/server/src/streams/a.ts": 'new Worker(new URL("../gateway/b.ts", import.meta.url));',
    "packages/server/src/gateway/b.ts": "",
  };
  expectRed(direction(graphOf(worker).imports), "neither sockets nor users");
  expectRed(graphOf({ [core]: 'import "@holdfast/protocol/secret";' }).broken, "@holdfast/protocol/secret");
});

test("imports: a cycle is named with its whole way", () => {
  const texts = { "packages/a/x.ts": 'import "./y.ts";', "packages/a/y.ts": 'import type { X } from "./x.ts";' };
  expectRed(cycles(graphOf(texts).imports), "packages/a/x.ts → packages/a/y.ts → packages/a/x.ts");
  expect(cycles(graphOf({ "packages/a/x.ts": 'import "./y.ts";', "packages/a/y.ts": "" }).imports)).toEqual([]);
});

test("manifests: versions, floors, scripts, .npmrc and documents", () => {
  const root = manifest("package.json", { version: "0.1.0", license: "Apache-2.0", scripts: { test: "node x.mjs" } });
  const other = manifest("packages/a/package.json", {
    version: "0.2.0",
    license: "MIT",
    dependencies: { "@holdfast/b": "^0.1.0" },
  });
  for (const named of ["version 0.2.0", "license MIT", "@holdfast/b ^0.1.0"]) expectRed(versions(root, [other]), named);

  const asking = (name: string, count: number): SourceFile =>
    manifest("packages/a/package.json", {
      name,
      dependencies: Object.fromEntries(Array.from({ length: count }, (_, index) => [`one-${index}`, "^1.0.0"])),
    });
  expectRed(dependencies([asking("@holdfast/client", 1)]), "one-0");
  expectRed(dependencies([asking("@holdfast/agent", 7)]), "6 are allowed");
  expect(dependencies([asking("@holdfast/agent", 6), asking("@holdfast/client", 0)])).toEqual([]);

  const installed = (version: string) => ({ version, integrity: "sha512-x" });
  const locked = manifest("package-lock.json", {
    packages: {
      "node_modules/ws": installed("8.20.9"),
      "node_modules/a/node_modules/fast-jwt": installed("7.0.0"),
      "node_modules/fastify": { version: "5.10.0", optionalDependencies: { "fastify-darwin": "5.10.0" } },
    },
  });
  for (const named of [
    "ws 8.20.9 is older",
    "fast-jwt may not",
    "fastify has no integrity",
    "fastify-darwin has no entry",
  ]) {
    expectRed(lockfile(locked), named);
  }
  expect(lockfile(manifest("x", { packages: { "node_modules/ws": installed("8.100.0") } }))).toEqual([]);

  for (const script of ["bash x.sh", "node a.mjs && node b.mjs", "CI=1 node a.mjs", "rm -rf dist"]) {
    expectRed(scripts(manifest("package.json", { scripts: { x: script } })), script);
  }
  expectRed(npmrc(makeFile("fund=false\n", ".npmrc")), "ignore-scripts=true");
  expectRed(documentedCommands(makeFile("Run `npm run fly`.", "README.md"), root), "npm run fly");
  expectRed(documentedCommands(makeFile("Run `npm start`.", "README.md"), root), "npm start");
  expect(documentedCommands(makeFile("Run `npm test`, then `npm ci`.", "README.md"), root)).toEqual([]);
});
