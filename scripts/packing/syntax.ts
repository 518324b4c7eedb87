/**
 * A module's syntax tree as the packing needs it: walked, its property names found, its declared names listed.
 *
 * Property names are those that stand unquoted: a quoted one is a word, and words are never touched.
 */
import { parseSync } from "oxc-parser";

/** A node of the tree, as ESTree has it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** A module, read once. `path` is below the packages' folder, with `/`: `client/src/api.js`. */
export interface Module {
  readonly path: string;
  readonly text: string;
  readonly tree: SyntaxNode;
}

/** Throws where the text is no module: it names the file. */
export function parse(path: string, text: string): Module {
  const { program, errors } = parseSync(path, text, { sourceType: "module" });
  const [first] = errors;
  if (first !== undefined) throw new Error(`${path} does not parse: ${first.message}`);
  return { path, text, tree: program as unknown as SyntaxNode };
}

/** Calls `visit` for every node, parents first. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  visit(node);
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit);
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** The name of an identifier; undefined for every other node. */
export function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === "Identifier" ? String(node["name"]) : undefined;
}

/** The text of a string literal; undefined for every other node. */
export function wordOf(node: unknown): string | undefined {
  return isNode(node) && node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined;
}

/** One unquoted property name. `isShort`: it stands for its value too, as in `{ name }`. */
export interface PropertyName {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly isShort: boolean;
}

/** The unquoted property name of this node, where it has one. */
export function propertyName(node: SyntaxNode): PropertyName | undefined {
  if (node["computed"] === true) return undefined;
  const key = keyOf(node);
  const name = nameOf(key);
  if (name === undefined || !isNode(key)) return undefined;
  return { name, start: key.start, end: key.end, isShort: node["shorthand"] === true };
}

function keyOf(node: SyntaxNode): unknown {
  switch (node.type) {
    case "MemberExpression":
      return node["property"];
    case "Property":
    case "PropertyDefinition":
    case "AccessorProperty":
    case "MethodDefinition":
      return node["key"];
    default:
      return undefined;
  }
}

const declaring = ["TSPropertySignature", "TSMethodSignature", "PropertyDefinition", "MethodDefinition"];

/** The property names that types and classes below this node declare, quoted or not. */
export function declaredNames(tree: SyntaxNode): ReadonlySet<string> {
  const names = new Set<string>();
  walk(tree, (node) => {
    if (!declaring.includes(node.type) || node["computed"] === true) return;
    const name = nameOf(node["key"]) ?? wordOf(node["key"]);
    if (name !== undefined) names.add(name);
  });
  return names;
}

/** The unquoted keys of one object literal. */
export function keysOf(literal: unknown): readonly string[] {
  if (!isNode(literal) || literal.type !== "ObjectExpression") return [];
  return (literal["properties"] as readonly SyntaxNode[]).flatMap((one) => propertyName(one)?.name ?? []);
}

/** The names that a module exports. */
export function exportedNames(tree: SyntaxNode): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (node: unknown): void => {
    const name = nameOf(node);
    if (name !== undefined) names.add(name);
  };
  for (const statement of tree["body"] as readonly SyntaxNode[]) {
    if (!statement.type.startsWith("Export")) continue;
    add(statement["exported"]);
    for (const specifier of (statement["specifiers"] ?? []) as readonly SyntaxNode[]) add(specifier["exported"]);
    const { declaration } = statement;
    if (!isNode(declaration)) continue;
    add(declaration["id"]);
    for (const declarator of (declaration["declarations"] ?? []) as readonly SyntaxNode[]) add(declarator["id"]);
  }
  return names;
}
