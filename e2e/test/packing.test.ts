/** What the build of the packages may shorten, and what stops it: each rule on a few lines of code. */
import { expect, test } from "vitest";
import * as schema from "../../packages/protocol/schema/index.ts";
import { judgeNames } from "../../scripts/packing/client.ts";
import { namesSeenFrom } from "../../scripts/packing/declarations.ts";
import { publishedManifest } from "../../scripts/packing/manifest.ts";
import { reflectedNames } from "../../scripts/packing/reflection.ts";
import { shorten, shortNames } from "../../scripts/packing/shorten.ts";
import { parse } from "../../scripts/packing/syntax.ts";
import { wordsOfSchemas } from "../../scripts/packing/wire.ts";

const module = (text: string, path = "client/src/core/any.js") => parse(path, text);
const shortened = (text: string) =>
  shorten(
    module(text),
    new Map([
      ["inner", "a"],
      ["other", "b"],
    ]),
  );

test("a listed name is shortened wherever it names a property", () => {
  expect(shortened("x.inner.kept = y?.other ?? { inner: 1, other };")).toBe("x.a.kept = y?.b ?? { a: 1, b: other };");
  expect(shortened("const { inner, other = 2, kept: { inner: y } } = x;")).toBe(
    "const { a: inner, b: other = 2, kept: { a: y } } = x;",
  );
  expect(shortened("const x = { get inner() { return 1; }, other(a) {} };")).toBe(
    "const x = { get a() { return 1; }, b(a) {} };",
  );
  expect(shortened("class A { inner = 1; #other = 2; }")).toBe("class A { a = 1; #other = 2; }");
});

test("what is quoted, computed, or the name of a variable stays", () => {
  for (const text of [
    'const inner = x["inner"];',
    "x[inner] = `inner`;",
    'const o = { "inner": "other" };',
    "inner(other);",
  ])
    expect(shortened(text)).toBe(text);
});

test("no short name is one that is taken", () => {
  expect([...shortNames(["first", "second"], new Set(["e", "n"])).values()]).toEqual(["t", "r"]);
});

test("a reserved name stops the build with its reason, and so does one that nobody declares", () => {
  const reserved = new Map([["sub", "a word of the wire"]]);
  expect(() => judgeNames(["sub"], new Set(["sub"]), reserved)).toThrow(
    '"sub" may not be shortened (a word of the wire)',
  );
  expect(() => judgeNames(["gone"], new Set(), reserved)).toThrow('"gone" may not be shortened (no type');
  expect(() => judgeNames(["inner"], new Set(["inner"]), reserved)).not.toThrow();
});

test("what is read by its text is reserved, and what cannot be known stops the build", () => {
  const read = (text: string, path?: string) => [...reflectedNames(module(text, path), [module(text, path)])].sort();
  expect(read('if ("attempt" in state) state["slot"];')).toEqual(["attempt", "slot"]);
  expect(read("throw new Fault({ details: { last: code } }); const details = { reason };")).toEqual(["last", "reason"]);
  expect(read("out(JSON.stringify({ after }), send(context, { deadline: 1 }));")).toEqual(["after", "deadline"]);
  expect(() => read("table[event.kind]();")).toThrow('core/any.js reads names by their text in "table[event.kind]"');
  expect(() => read("Object.entries(state);")).toThrow('"Object.entries(state)"');
  const engine = module("socket[effect.kind]();", "client/src/shell/engine.js");
  const socket = module("const socket = { endSocket() {} };", "client/src/shell/socket.js");
  expect([...reflectedNames(engine, [engine, socket])]).toEqual(["endSocket"]);
});

test("what an entry's types lead to is seen from outside, and nothing else", () => {
  const modules = [
    module('export type { A } from "./a.js"; export * from "./b.js";', "client/src/index.d.ts"),
    module(
      'import type { C as D } from "./c.js"; export interface A { one: D; } interface Not { no: 1 }',
      "client/src/a.d.ts",
    ),
    module("export declare function call(options: { two: string }): void;", "client/src/b.d.ts"),
    module(
      "export type C = { three: 1 } | Deep; interface Deep { four(): void } export interface E { no: 2 }",
      "client/src/c.d.ts",
    ),
  ];
  expect([...namesSeenFrom([{ path: "client/src/index.d.ts" }], modules)].sort()).toEqual([
    "four",
    "one",
    "three",
    "two",
  ]);
});

test("[TR-5] every word of the wire is known from its schemas: fields, messages, texts, however deep", () => {
  const words = wordsOfSchemas(schema);
  for (const word of [
    "welcome",
    "heartbeat",
    "displayLagP99Ms",
    "start",
    "latest",
    "retryAfter",
    "keyframe",
    "handlingMs",
  ])
    expect([...words]).toContain(word);
  expect([...words]).not.toContain("heardMs");
});

test("a published manifest leads to what was emitted", () => {
  const manifest = { name: "a", version: "1", exports: { "./b": "./src/b/index.ts" }, devDependencies: { c: "1" } };
  expect(publishedManifest(manifest)).toEqual({
    name: "a",
    version: "1",
    exports: { "./b": { types: "./dist/src/b/index.d.ts", default: "./dist/src/b/index.js" } },
    files: ["dist"],
  });
});
