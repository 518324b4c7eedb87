/**
 * Rules, failures and invariants have ids; documents define them, tests cite them, and the two keep each other true.
 *
 * A rule of docs/PROTOCOL.md is either cited by a test's title (`[PB-5] …`) or stands in docs/open-rules.json with
 * one sentence on what is missing. Ids of docs/FAILURES.md may be cited; they need not be. A list that says "no test
 * yet" of a rule that has one is out of date, so the list can only become shorter. It reads no test's meaning.
 */
import { type Finding, lineAt, type SourceFile } from "../finding.ts";
import { isCode, isTest } from "../repository.ts";
import { isNode, parse, walk } from "../syntax.ts";

/** What an open rule says that lacks nothing but a test. */
export const noTestYet = "No test yet.";

/** Where an id was found. */
export interface Citation {
  readonly id: string;
  readonly path: string;
  readonly line: number;
}

/** The ids that `docs/PROTOCOL.md` defines: `- **TR-1** …`. */
export function protocolIds(protocol: SourceFile): readonly Citation[] {
  return idsBy(protocol, /^- \*\*([A-Z]{2}-\d+)\*\*/gm);
}

/** The ids that `docs/FAILURES.md` or `docs/security.md` define: the first cell of a table's row. `security F7` is not failure `F07`. */
export function failureIds(failures: SourceFile): readonly Citation[] {
  return idsBy(failures, /^\| *((?:security )?[A-Z]\d+) *\|/gm);
}

/** Every `[id]` in a text of a test: titles, and the names of tables that become titles. */
export function citations(files: readonly SourceFile[]): readonly Citation[] {
  return files.filter((file) => isCode(file) && isTest(file.path)).flatMap(citationsOf);
}

/** Each id is defined once. */
export function definedOnce(definitions: readonly Citation[]): readonly Finding[] {
  const seen = new Set<string>();
  return definitions.flatMap(({ id, path, line }) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [{ path, line, message: `${id} is defined twice: give one of the two another id` }];
  });
}

/** Each cited id is defined. */
export function citedExist(cited: readonly Citation[], definitions: readonly Citation[]): readonly Finding[] {
  const known = new Set(definitions.map(({ id }) => id));
  return cited
    .filter(({ id }) => !known.has(id))
    .map(({ id, path, line }) => ({
      path,
      line,
      message: `[${id}] is defined neither in docs/PROTOCOL.md nor in docs/FAILURES.md nor in docs/security.md: correct the id, or define it`,
    }));
}

/** Each rule has a test or is open, and the list of open ones is in order. */
export function rulesProved(
  rules: readonly Citation[],
  open: SourceFile,
  cited: readonly Citation[],
): readonly Finding[] {
  const reasons = JSON.parse(open.text) as Readonly<Record<string, unknown>>;
  const tested = new Set(cited.map(({ id }) => id));
  const known = new Set(rules.map(({ id }) => id));
  const unproved = rules
    .filter(({ id }) => !tested.has(id) && !Object.hasOwn(reasons, id))
    .map(({ id, path, line }) => ({
      path,
      line,
      message: `${id} has no test: cite it in a title as [${id}], or say in docs/open-rules.json what is missing`,
    }));
  const listed = Object.entries(reasons).flatMap(([id, reason]): Finding[] => {
    const line = lineAt(open.text, open.text.indexOf(`"${id}"`));
    const say = (message: string): Finding[] => [{ path: open.path, line, message }];
    if (!known.has(id)) return say(`${id} is no rule of docs/PROTOCOL.md: take it out`);
    if (typeof reason !== "string" || !/^[A-Z`].+\.$/.test(reason))
      return say(`${id}: say what is missing in one sentence`);
    if (reason === noTestYet && tested.has(id)) return say(`${id} has a test now: take it out`);
    return [];
  });
  return [...unproved, ...listed];
}

function idsBy(file: SourceFile, pattern: RegExp): readonly Citation[] {
  return [...file.text.matchAll(pattern)].map((match) => ({
    id: match[1] ?? "",
    path: file.path,
    line: lineAt(file.text, match.index),
  }));
}

function citationsOf(file: SourceFile): readonly Citation[] {
  const found: Citation[] = [];
  walk(parse(file), (node) => {
    const text = textOf(node);
    if (text === undefined) return;
    for (const [, id] of text.matchAll(/\[([A-Z]{2}-\d+|(?:security )?[A-Z]\d+)\]/g)) {
      if (id !== undefined) found.push({ id, path: file.path, line: lineAt(file.text, node.start) });
    }
  });
  return found;
}

/** A string's text, or a piece of a template's. */
function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : undefined;
  return node.type === "TemplateElement" ? (node["value"] as { raw: string }).raw : undefined;
}
