/**
 * Who imports whom, as data: every import of our own code, types included, resolved to a file.
 *
 * Reads static imports and re-exports, `import()` of values and of types, and the workers' form
 * `new URL("./x.ts", import.meta.url)`. Imports of other people's packages are left to knip.
 */
import { posix } from "node:path";
import { type Finding, lineAt, type SourceFile } from "../finding.ts";
import { isNode, literalText, parse, type SyntaxNode, walk } from "../syntax.ts";

export interface Import {
  readonly from: string;
  readonly line: number;
  /** The path of the imported file. */
  readonly to: string;
  /** Erased before anything runs. */
  readonly isType: boolean;
  /** Named by its URL, to be started as a worker or a program: it knows us as little as a stranger would. */
  readonly isUrl: boolean;
}

export interface ImportGraph {
  readonly imports: readonly Import[];
  /** Imports of our own packages that lead nowhere. */
  readonly broken: readonly Finding[];
}

/** @param manifests the `package.json` of every workspace, for their `exports` */
export function importGraph(files: readonly SourceFile[], manifests: readonly SourceFile[]): ImportGraph {
  const entries = packageEntries(manifests);
  const paths = new Set(files.map(({ path }) => path));
  const imports: Import[] = [];
  const broken: Finding[] = [];
  for (const file of files) {
    for (const { specifier, start, isType, isUrl } of specifiers(file)) {
      const to = specifier.startsWith(".")
        ? posix.join(posix.dirname(file.path), specifier)
        : specifier.startsWith("@holdfast/")
          ? entries.get(specifier)
          : posix.sep;
      if (to === posix.sep) continue;
      const line = lineAt(file.text, start);
      if (to === undefined) {
        broken.push({ path: file.path, line, message: `"${specifier}" is not among the exports of its package` });
      } else if (paths.has(to)) {
        imports.push({ from: file.path, line, to, isType, isUrl });
      }
    }
  }
  return { imports, broken };
}

interface Specifier {
  readonly specifier: string;
  readonly start: number;
  readonly isType: boolean;
  readonly isUrl: boolean;
}

function specifiers(file: SourceFile): readonly Specifier[] {
  const found: Specifier[] = [];
  const add = (source: unknown, node: SyntaxNode, isType: boolean, isUrl = false): void => {
    const specifier = literalText(source);
    if (specifier !== undefined) found.push({ specifier, start: node.start, isType, isUrl });
  };
  walk(parse(file), (node) => {
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportNamedDeclaration":
      case "ExportAllDeclaration":
        add(node["source"], node, isTypeOnly(node));
        return;
      case "ImportExpression":
        add(node["source"], node, false);
        return;
      case "TSImportType":
        add(node["source"] ?? node["argument"], node, true);
        return;
      case "NewExpression":
        if (isOwnUrl(node)) add((node["arguments"] as readonly unknown[])[0], node, false, true);
        return;
      default:
    }
  });
  return found;
}

function isTypeOnly(node: SyntaxNode): boolean {
  if (node["importKind"] === "type" || node["exportKind"] === "type") return true;
  const named = (node["specifiers"] ?? []) as readonly SyntaxNode[];
  return named.length > 0 && named.every((one) => one["importKind"] === "type" || one["exportKind"] === "type");
}

function isOwnUrl(node: SyntaxNode): boolean {
  const callee = node["callee"];
  const base = (node["arguments"] as readonly unknown[])[1];
  if (!isNode(callee) || callee["name"] !== "URL" || !isNode(base) || base.type !== "MemberExpression") return false;
  return isNode(base["object"]) && base["object"].type === "MetaProperty";
}

function packageEntries(manifests: readonly SourceFile[]): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const { path, text } of manifests) {
    const { name, exports = {} } = JSON.parse(text) as { name: string; exports?: Record<string, string> };
    for (const [subpath, target] of Object.entries(exports)) {
      entries.set(posix.join(name, subpath), posix.join(posix.dirname(path), target));
    }
  }
  return entries;
}
