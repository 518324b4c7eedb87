/**
 * Property names that a module reads by their text, and so must keep.
 *
 * `"name" in value`, `value[name]`, `Object.entries(value)`: the text of a name decides there. A quoted name reserves
 * itself. Every other such place is listed in `names.ts` with what its names are; one that is not listed stops the build.
 */
import { type Reflection, reflections } from "./names.ts";
import { isNode, keysOf, type Module, nameOf, type SyntaxNode, walk, wordOf } from "./syntax.ts";

/** Those of `Object` whose results depend on names. */
const readers: readonly string[] = ["keys", "entries", "fromEntries", "getOwnPropertyNames", "defineProperty"];

/** @param code all modules, in which those that a reflection names are found */
export function reflectedNames({ path, text, tree }: Module, code: readonly Module[]): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (all: Iterable<string>): void => {
    for (const name of all) names.add(name);
  };
  walk(tree, (node) => {
    add(keysOf(dataIn(node)));
    const quoted = quotedName(node);
    if (quoted !== undefined) names.add(quoted);
    else if (readsByText(node)) add(namesAt(path, text.slice(node.start, node.end), code));
  });
  return names;
}

function quotedName(node: SyntaxNode): string | undefined {
  if (node.type === "BinaryExpression" && node["operator"] === "in") return wordOf(node["left"]);
  if (node.type === "MemberExpression" && node["computed"] === true) return wordOf(node["property"]);
  return undefined;
}

function readsByText(node: SyntaxNode): boolean {
  if (node.type === "BinaryExpression") return node["operator"] === "in";
  if (node.type === "MemberExpression") {
    const { property } = node;
    return node["computed"] === true && !(isNode(property) && typeof property["value"] === "number");
  }
  if (node.type !== "CallExpression" || !isNode(node["callee"])) return false;
  const { object, property } = node["callee"];
  return nameOf(object) === "Object" && readers.includes(nameOf(property) ?? "");
}

/** An object literal that is somebody else's to read: as JSON, or as the details of an error. */
function dataIn(node: SyntaxNode): unknown {
  if (node.type === "Property" && nameOf(node["key"]) === "details") return node["value"];
  if (node.type === "VariableDeclarator" && nameOf(node["id"]) === "details") return node["init"];
  if (node.type !== "CallExpression" || !isNode(node["callee"])) return undefined;
  const [first, second] = node["arguments"] as readonly SyntaxNode[];
  if (nameOf(node["callee"]) === "send") return second;
  return nameOf(node["callee"]["object"]) === "JSON" ? first : undefined;
}

function namesAt(path: string, place: string, code: readonly Module[]): readonly string[] {
  const known: Reflection | undefined = reflections[path]?.[place];
  if (known === undefined)
    throw new Error(
      `${path} reads names by their text in "${place}": say in scripts/packing/names.ts, "reflections", what they are`,
    );
  if (known === "data") return [];
  if (!("keysOf" in known)) return known;
  const { keysOf: there } = known;
  const target = code.find((module) => module.path === there);
  if (target === undefined) throw new Error(`${there} was not emitted: names.ts names it for "${place}"`);
  const keys: string[] = [];
  walk(target.tree, (node) => keys.push(...keysOf(node)));
  return keys;
}
