/**
 * A file's syntax tree, walked: the little that the rules need of a parser.
 *
 * TypeScript 7 has no JavaScript API, so the tools built on it cannot read our sources; oxc can. A rule that
 * looks at the tree cannot be fooled by a comment or a string, as a pattern can.
 */
import { parseSync } from "oxc-parser";
import type { SourceFile } from "./finding.ts";

/** A node of the tree, as ESTree has it. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** Parses a file; a file that does not parse is an error of its own, not a finding. */
export function parse(file: SourceFile): SyntaxNode {
  const result = parseSync(file.path, file.text, { sourceType: "module" });
  const [first] = result.errors;
  if (first !== undefined) throw new Error(`${file.path} does not parse: ${first.message}`);
  return result.program as unknown as SyntaxNode;
}

/** Calls `visit` for every node, parents first, with the node that holds it and the field it is in. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined, field: string) => void,
  parent?: SyntaxNode,
  field = "",
): void {
  visit(node, parent, field);
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, visit, node, name);
    }
  }
}

/** Whether something in a tree is a node of it. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** The text of a string literal, or of a template without holes. */
export function literalText(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Literal" && typeof node["value"] === "string") return node["value"];
  if (node.type === "TSLiteralType") return literalText(node["literal"]);
  return undefined;
}
