/**
 * Time, chance and timers only in shells: everywhere else they are passed in (`Clock`, `Random`).
 *
 * A core that reads the clock cannot be simulated, and a bug in it cannot be replayed from a seed. A shell is
 * a file named `*Shell.ts`, `main.ts` or `*Main.ts`, or one that lies in `shell/`, `ports/`, `scripts/`, `e2e/`, `bench/`,
 * `simulation/src/processes/` or a test.
 */
import { type Finding, lineAt, type SourceFile } from "../finding.ts";
import { isTest } from "../repository.ts";
import { parse, type SyntaxNode, walk } from "../syntax.ts";

const members: Readonly<Record<string, readonly string[]>> = {
  Date: ["now"],
  Math: ["random"],
  performance: ["now"],
};
const functions: ReadonlySet<string> = new Set(["setTimeout", "setInterval", "setImmediate"]);
const globals: ReadonlySet<string> = new Set(["globalThis", "window", "self", "global"]);

/** Whether a file may read the clock, draw chance and arm timers. */
export function isShell(path: string): boolean {
  return (
    isTest(path) ||
    /^(scripts|e2e|bench|tidy|simulation\/src\/processes)\//.test(path) ||
    /\/(shell|ports)\//.test(path) ||
    /(Shell\.tsx?|\/(\w+M|m)ain\.tsx?|\.config\.ts)$/.test(path)
  );
}

export function shells(file: SourceFile): readonly Finding[] {
  if (isShell(file.path)) return [];
  const findings: Finding[] = [];
  walk(parse(file), (node, parent, field) => {
    const used = usedName(node, parent, field);
    if (used === undefined) return;
    findings.push({
      path: file.path,
      line: lineAt(file.text, node.start),
      message: `\`${used}\` outside a shell: take a Clock or Random as an argument, or move this into a shell file`,
    });
  });
  return findings;
}

function usedName(node: SyntaxNode, parent: SyntaxNode | undefined, field: string): string | undefined {
  if (node.type === "MemberExpression") {
    const object = nameOf(node["object"]);
    const property = nameOf(node["property"]);
    if (object === undefined || property === undefined || node["computed"] === true) return undefined;
    if (members[object]?.includes(property)) return `${object}.${property}`;
    if (globals.has(object) && functions.has(property)) return `${object}.${property}`;
    return undefined;
  }
  if (node.type === "NewExpression" && nameOf(node["callee"]) === "Date") {
    return (node["arguments"] as readonly unknown[]).length === 0 ? "new Date()" : undefined;
  }
  const name = nameOf(node);
  if (name === undefined || !functions.has(name) || parent === undefined) return undefined;
  // A property or method that merely has the name (a port's own `setTimeout`) reads no clock.
  const named =
    (field === "property" || field === "key") && parent["computed"] !== true && parent["shorthand"] !== true;
  return named ? undefined : name;
}

function nameOf(node: unknown): string | undefined {
  const { type, name } = (node ?? {}) as { type?: unknown; name?: unknown };
  return type === "Identifier" && typeof name === "string" ? name : undefined;
}
