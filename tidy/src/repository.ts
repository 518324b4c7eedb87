/**
 * Reads the repository as git sees it: what is tracked, and what would be if it were added.
 *
 * The only part of tidy that touches the disk. What git ignores (builds, packages, data) is not ours to judge.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceFile } from "./finding.ts";

const listBytesMax = 16 * 1024 * 1024;

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Every text file of the repository, sorted by path. */
export function readRepository(): readonly SourceFile[] {
  const list = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: listBytesMax,
  });
  return [...new Set(list.split("\0"))]
    .filter((path) => path !== "" && !/\.(png|ico|woff2|gz|tgz)$/.test(path) && existsSync(join(root, path)))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** The file at `path`; an assertion, since a rule about a named file means nothing without it. */
export function fileAt(files: readonly SourceFile[], path: string): SourceFile {
  const found = files.find((file) => file.path === path);
  if (found === undefined) throw new Error(`tidy needs ${path}, which is not in the repository: add it`);
  return found;
}

/** Sources of programs: TypeScript and JavaScript. */
export function isCode(file: SourceFile): boolean {
  return /\.(ts|tsx|mts|mjs|js)$/.test(file.path);
}

/** Code that only tests run. */
export function isTest(path: string): boolean {
  return /(^|\/)test\//.test(path) || /\.test\.tsx?$/.test(path);
}
