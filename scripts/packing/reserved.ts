/**
 * Names that a build must not change, each with the reason: whatever anybody else may read or write by that name.
 *
 * It errs to one side. A name is reserved wherever it stands, also where it means something else: one word, one
 * meaning. What is left is known to nobody but the client's own modules, all of which are changed alike.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as schema from "../../packages/protocol/schema/index.ts";
import { namesSeenFrom, type Root } from "./declarations.ts";
import { foreign } from "./names.ts";
import { reflectedNames } from "./reflection.ts";
import { declaredNames, exportedNames, type Module, walk } from "./syntax.ts";
import { wordsOfSchemas } from "./wire.ts";

/** What the names are read from. Paths are below the packages' folder. */
export interface Sources {
  /** The emitted modules of the client. */
  readonly code: readonly Module[];
  /** The emitted declarations of the client and of the protocol. */
  readonly declarations: readonly Module[];
  /** The client's TypeScript. */
  readonly written: readonly Module[];
  /** The entries of the client, as declaration files. */
  readonly entries: readonly string[];
  /** Where the platform's own declarations are installed. */
  readonly installed: string;
}

/** Modules whose types leave the program: to other tabs, which may run another build, or to a disk. */
const kept = ["client/src/tabs/messages.d.ts", "client/src/tabs/leading.d.ts"];

/** Name → why it is reserved. */
export function reservedNames(sources: Sources): ReadonlyMap<string, string> {
  const { code, declarations, written, entries, installed } = sources;
  const why = new Map<string, string>();
  const reserve = (names: Iterable<string>, reason: string): void => {
    for (const name of names) if (!why.has(name)) why.set(name, reason);
  };
  reserve(wordsOfSchemas(schema), "a word of the wire (packages/protocol/schema)");
  for (const { path, tree } of declarations) {
    if (path.startsWith("protocol/")) reserve([...declaredNames(tree), ...exportedNames(tree)], `declared in ${path}`);
    if (path.startsWith("client/src/storage/")) reserve(declaredNames(tree), `stored: declared in ${path}`);
  }
  const roots: readonly Root[] = entries.map((path) => ({ path }));
  reserve(namesSeenFrom(roots, declarations), "seen from outside: in a type that an entry's exports lead to");
  for (const path of kept) {
    const messages = declarations
      .filter((module) => module.path === path)
      .flatMap(({ tree }) => [...declaredNames(tree)]);
    reserve(messages, `said to other tabs: declared in ${path}`);
  }
  reserve(namesSeenFrom([{ path: "client/src/tabs/messages.d.ts" }], declarations), "said to other tabs");
  for (const module of code) reserve(reflectedNames(module, code), `read by its text in ${module.path}`);
  for (const { path, tree } of code) reserve(exportedNames(tree), `exported by ${path}`);
  for (const { path, tree } of written) reserve(claimedNames(tree), `of data from elsewhere, in ${path}`);
  reserve(Object.keys(foreign), "of data from elsewhere (scripts/packing/names.ts)");
  reserve(platformNames(installed), "a name of the platform");
  return why;
}

/** The names that an assertion gives to data from elsewhere: `value as { exp?: unknown }`. */
function claimedNames(tree: Module["tree"]): ReadonlySet<string> {
  const names = new Set<string>();
  walk(tree, (node) => {
    if (node.type !== "TSAsExpression") return;
    for (const name of declaredNames(node["typeAnnotation"] as Module["tree"])) names.add(name);
  });
  return names;
}

/**
 * What the language, a browser and Node declare. Their files are too large for a tree: whatever begins a line as a
 * member does is taken for one.
 */
function platformNames(installed: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const folder of [libraryFolder(installed), join(installed, "@types", "node")]) {
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".d.ts") || (folder.endsWith("lib") && !file.startsWith("lib."))) continue;
      const text = readFileSync(join(folder, file), "utf8");
      for (const [, name] of text.matchAll(member)) if (name !== undefined) names.add(name);
    }
  }
  return names;
}

const member = /^\s+(?:(?:readonly|get|set|static|declare|abstract|protected) )*([A-Za-z_$][\w$]*)\??\s*[:(<]/gm;

/** The compiler brings the declarations of the language and of browsers, in the package of its platform. */
function libraryFolder(installed: string): string {
  const scope = join(installed, "@typescript");
  for (const name of readdirSync(scope)) {
    const folder = join(scope, name, "lib");
    if (readdirSync(folder).includes("lib.dom.d.ts")) return folder;
  }
  throw new Error(`${scope} has no lib.dom.d.ts: install the packages of package-lock.json (npm ci)`);
}
