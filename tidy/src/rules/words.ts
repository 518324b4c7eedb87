/**
 * Words that may not stand in the repository, each with the reason.
 *
 * Most are patterns over the text, since comments and documents count too; those about code look at the
 * syntax tree. The rules' own files are left out, for they must name what they forbid.
 */
import { type Finding, lineAt, type SourceFile } from "../finding.ts";
import { isTest } from "../repository.ts";
import { literalText, parse, walk } from "../syntax.ts";

interface BannedPattern {
  readonly pattern: RegExp;
  readonly reason: string;
  /** Files in which it may stand. */
  readonly allowed?: (path: string) => boolean;
}

const isText = (path: string): boolean => path.endsWith(".md") || path === "package-lock.json" || path === "LICENSE";

const everywhere: readonly BannedPattern[] = [
  {
    pattern: /(?<![\w.])\/(?:work|root)\/[a-z]\w*/g,
    reason: "a path of one machine: make it relative, or take it as a setting",
  },
  {
    pattern: /(?<![\w.])\/(?:home|Users)\/[a-z]\w*/g,
    reason: "a path of one machine: make it relative, or take it as a setting",
    // Made-up homes in tests are nobody's.
    allowed: isTest,
  },
  {
    pattern: /\bregistry\.[a-z][a-z0-9-]*\.[a-z]{2,}/g,
    reason: "the host of a registry: which one is used is the machine's affair (.npmrc)",
  },
  {
    pattern: /"resolved": "https?:[^"]*"/g,
    reason: "an address in the lockfile: install with omit-lockfile-registry-resolved=true",
  },
  {
    pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/g,
    reason: "a private key: whoever has the repository has it",
    // Of a certificate for 127.0.0.1 that nobody trusts.
    allowed: isTest,
  },
  {
    pattern: /\bhfk_[\w-]{40,}|\bghp_\w{30,}|\bnpm_\w{30,}|\bAKIA[0-9A-Z]{16}\b/g,
    reason: "it has the form of a key that works somewhere",
  },
];

const inCode: readonly BannedPattern[] = [
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/g, reason: "do it now, or open an issue" },
  {
    pattern: /\b(?:it|test|describe|suite|scenario)\.(?:only|skip|todo|fails)\b/g,
    reason: "a test that does not run proves nothing: remove it or make it pass",
  },
  { pattern: /@ts-(?:ignore|nocheck)\b/g, reason: "say the type instead of hiding it" },
  {
    pattern: /\/\/ @ts-expect-error:?[^\S\n]*(?=\n|$)/g,
    reason: "say beside it in one sentence what error is expected",
  },
  {
    pattern: /\.innerHTML\b|dangerouslySetInnerHTML|\binsertAdjacentHTML\b/g,
    reason: "agents' output is hostile: set text, not markup",
  },
  { pattern: /\beval\(|\bnew Function\(/g, reason: "code is never made from text" },
];

/** Patterns that no text of the repository may hold. */
export function words(file: SourceFile): readonly Finding[] {
  if (file.path.startsWith("tidy/")) return [];
  return [...everywhere, ...(isText(file.path) ? [] : inCode)].flatMap(({ pattern, reason, allowed }) =>
    allowed?.(file.path)
      ? []
      : [...file.text.matchAll(pattern)].map((match) => ({
          path: file.path,
          line: lineAt(file.text, match.index),
          message: `\`${match[0]}\`: ${reason}`,
        })),
  );
}

/** `any`, and the kernel's own file tree outside a port. */
export function code(file: SourceFile): readonly Finding[] {
  if (file.path.startsWith("tidy/")) return [];
  const findings: Finding[] = [];
  walk(parse(file), (node) => {
    const line = lineAt(file.text, node.start);
    if (node.type === "TSAnyKeyword" && !isExcused(file.text, line)) {
      findings.push({ path: file.path, line, message: "`any`: say the type, or take `unknown` and read it once" });
    }
    const text = node.type === "TemplateElement" ? (node["value"] as { raw: string }).raw : literalText(node);
    if (text !== undefined && /^\/(?:proc|sys)(?:\/|$)/.test(text) && !isPort(file.path)) {
      findings.push({ path: file.path, line, message: `\`${text}\` is Linux's alone: reach it through a port file` });
    }
  });
  return findings;
}

/** A sentence that says why, where Biome too must be told. */
function isExcused(text: string, line: number): boolean {
  return /biome-ignore lint\/suspicious\/noExplicitAny: \S.{20,}/.test(text.split("\n")[line - 2] ?? "");
}

function isPort(path: string): boolean {
  return isTest(path) || /\/ports?\/|Port\.ts$|\/port\.ts$/.test(path);
}
