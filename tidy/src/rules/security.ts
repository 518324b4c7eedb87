/**
 * The table of docs/security.md and the tests say the same: each row names tests that are there and cite it.
 *
 * A row is `| id | rule | seen by |`. "Seen by" names tests as `file`: a part of the title, or says why there is
 * none here ("Not here: …"). Such a row that is cited all the same is out of date. It reads no test's meaning.
 */
import { type Finding, lineAt, type SourceFile } from "../finding.ts";
import { citations } from "./ruleIds.ts";

const row = /^\| ((?:security )?[A-Z]\d+) *\| ([^|]+)\| ([^|]+)\|$/gm;
const place = /^`([^`]+)`: (.+)$/;

export interface SecurityRow {
  readonly id: string;
  readonly line: number;
  /** Each as it stands there. */
  readonly seenBy: readonly string[];
}

/** The rows of the table, in its order. */
export function securityRows(page: SourceFile): readonly SecurityRow[] {
  return [...page.text.matchAll(row)].map((match) => ({
    id: match[1] ?? "",
    line: lineAt(page.text, match.index),
    seenBy: (match[3] ?? "").split("<br>").map((one) => one.trim()),
  }));
}

/** Every test that a row names is there, in a file that cites the row. */
export function securitySeen(page: SourceFile, files: readonly SourceFile[]): readonly Finding[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const cited = citations(files);
  return securityRows(page).flatMap(({ id, line, seenBy }) => {
    const say = (message: string): Finding => ({ path: page.path, line, message: `${id}: ${message}` });
    if (seenBy.some((one) => one.startsWith("Not here: ")))
      return cited.some((citation) => citation.id === id)
        ? [say(`is not here, and ${cited.find((citation) => citation.id === id)?.path} cites it: name that test`)]
        : [];
    return seenBy.flatMap((one) => {
      const [, path = "", title = ""] = place.exec(one) ?? [];
      if (title === "") return [say(`"${one}" is not \`file\`: a part of a title`)];
      if (texts.get(path)?.includes(title) !== true)
        return [say(`${path} has no test "${title}": name the one that shows it now, or write it again`)];
      if (!cited.some((citation) => citation.id === id && citation.path === path))
        return [say(`${path} cites it in no title: write [${id}] before it`)];
      return [];
    });
  });
}
