/**
 * The shape of a file: short, and opened by a paragraph.
 *
 * A room is a noun and a file is one noun; a file that grows past the limit has become two. One that must be
 * long says so in its header, in words that begin with "Long because".
 */
import type { Finding, SourceFile } from "../finding.ts";
import { isTest } from "../repository.ts";

const linesMax = 450;
const headerCharactersMin = 20;

export function fileLength(file: SourceFile): readonly Finding[] {
  const lines = file.text.split("\n").length - 1;
  if (lines <= linesMax || /Long because/.test(headerOf(file.text) ?? "")) return [];
  return [
    {
      path: file.path,
      message: `${lines} lines, over ${linesMax}: split it by nouns, or say "Long because …" in its header`,
    },
  ];
}

export function header(file: SourceFile): readonly Finding[] {
  if (isTest(file.path)) return [];
  const text = headerOf(file.text);
  if (text === undefined) {
    return [
      { path: file.path, line: 1, message: "no header comment: open with /** why it exists, its life cycle … */" },
    ];
  }
  const words = text.replace(/[*/\s]+/g, " ").trim();
  if (words.length >= headerCharactersMin) return [];
  return [
    {
      path: file.path,
      line: 1,
      message: `the header "${words}" says too little: why it exists, its invariant, what it does not do`,
    },
  ];
}

/** The comment that opens a file, after a `#!` line or a directive of the test runner. */
function headerOf(text: string): string | undefined {
  return /^(?:#![^\n]*\n|\/\/ @[^\n]*\n|\s)*(\/\*\*[\s\S]*?\*\/)/.exec(text)?.[1];
}
