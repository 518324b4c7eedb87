/**
 * Every event that the programs write into a log, found in their sources, as the handbook's page of them.
 *
 * What is found: calls `log.<level>("event", { … })`, with the fields that stand there by name. What an event means is
 * written by hand, in the page's last column, and kept. Invariant: an event without a meaning, and a meaning without
 * an event, is an error that names it. It deliberately follows no variable: an event's name is a literal where it is
 * written, so that it can be found.
 */
import type { SourceFile } from "./finding.ts";
import { isNode, literalText, parse, type SyntaxNode, walk } from "./syntax.ts";

const levels: ReadonlySet<string> = new Set(["debug", "info", "warn", "error"]);

export interface LogEvent {
  readonly name: string;
  readonly levels: readonly string[];
  /** Fields by name; what is spread from elsewhere stands as `…`. */
  readonly fields: readonly string[];
}

/** All events of some files, by name. */
export function logEvents(files: readonly SourceFile[]): readonly LogEvent[] {
  const found = new Map<string, { readonly levels: Set<string>; readonly fields: Set<string> }>();
  for (const file of files) {
    walk(parse(file), (node) => {
      const call = logCall(node);
      if (call === undefined) return;
      const event = found.get(call.name) ?? { levels: new Set(), fields: new Set() };
      found.set(call.name, event);
      event.levels.add(call.level);
      for (const field of fieldsOf(call.fields)) event.fields.add(field);
    });
  }
  return [...found]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, event]) => ({ name, levels: [...event.levels].sort(), fields: [...event.fields].sort() }));
}

/** F03: events that are told where something was caught, without it: as text it has lost its stack and its causes. */
export function eventsWithoutCaught(files: readonly SourceFile[]): readonly string[] {
  const found = new Set<string>();
  for (const file of files)
    walk(parse(file), (node) => {
      if (node.type !== "CatchClause" || !isNode(node["param"]) || !isNode(node["body"])) return;
      walk(node["body"], (inner) => {
        const call = logCall(inner);
        if (call !== undefined && !fieldsOf(call.fields).includes("error")) found.add(`${file.path} ${call.name}`);
      });
    });
  return [...found];
}

function logCall(node: SyntaxNode): { name: string; level: string; fields: unknown } | undefined {
  if (node.type !== "CallExpression" || !isNode(node["callee"])) return undefined;
  const { callee } = node as { callee: SyntaxNode } & SyntaxNode;
  if (callee.type !== "MemberExpression" || !isNode(callee["property"]) || !isLog(callee["object"])) return undefined;
  const level = (callee["property"] as { name?: unknown }).name;
  const [first, fields] = node["arguments"] as readonly unknown[];
  const name = literalText(first);
  if (name === undefined || typeof level !== "string" || !levels.has(level)) return undefined;
  return { name, level, fields };
}

/** `log`, or `….log`. */
function isLog(node: unknown): boolean {
  if (!isNode(node)) return false;
  if (node.type === "Identifier") return node["name"] === "log";
  return node.type === "MemberExpression" && isNode(node["property"]) && node["property"]["name"] === "log";
}

function fieldsOf(node: unknown): readonly string[] {
  if (!isNode(node)) return [];
  switch (node.type) {
    case "ObjectExpression":
      return (node["properties"] as readonly SyntaxNode[]).flatMap((property) => {
        if (property.type === "SpreadElement") return fieldsOf(property["argument"]);
        const key = property["key"] as SyntaxNode;
        return [String(key["name"] ?? key["value"])];
      });
    case "LogicalExpression":
      return fieldsOf(node["right"]);
    case "ConditionalExpression":
      return [...fieldsOf(node["consequent"]), ...fieldsOf(node["alternate"])];
    case "ParenthesizedExpression":
      return fieldsOf(node["expression"]);
    default:
      return ["…"];
  }
}

const intro = `# The log

For whoever reads it: every event, what it means, and its fields. Names, levels and fields are found in the sources by
\`npm run handbook\`; a test fails where an event is not here.

One JSON object a line on standard error: \`level\`, \`time\` (ms since 1970), \`event\`, and the fields. \`error\` is an object with
\`name\`, \`message\`, \`code\`, \`stack\` and its causes. \`repeated\` and \`withinMs\` stand on a line that speaks for others of the same
kind. A field \`…\` stands for what is taken from elsewhere, as the place of a store. Nothing has a token, a cookie, or a word
that somebody said.

| event | level | what it means | fields |
| --- | --- | --- | --- |
`;

/** The page, with the meanings that `page` has now. Throws where one is missing or left over. */
export function logPage(events: readonly LogEvent[], page: string): string {
  const meanings = new Map(
    [...page.matchAll(/^\| `([^`]+)` +\| [^|]* \| ([^|]*?) +\|/gm)].map(([, name, meaning]) => [name, meaning?.trim()]),
  );
  const missing = events.filter(({ name }) => !meanings.get(name));
  if (missing.length > 0)
    throw new Error(
      `docs/logs.md says nothing of ${missing.map(({ name }) => name).join(", ")}: add a row \`| \`<event>\` | - | what it means | - |\``,
    );
  const names = new Set(events.map(({ name }) => name));
  const left = [...meanings.keys()].filter((name) => name !== undefined && !names.has(name));
  if (left.length > 0) throw new Error(`docs/logs.md has ${left.join(", ")}, which nobody writes: take it out`);
  const rows = events.map(
    ({ name, levels: at, fields }) =>
      `| \`${name}\` | ${at.join(", ")} | ${meanings.get(name)} | ${fields.map((field) => (field === "…" ? "…" : `\`${field}\``)).join(" ")} |\n`,
  );
  return intro + rows.join("");
}
