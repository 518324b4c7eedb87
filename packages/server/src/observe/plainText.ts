/**
 * Makes any text safe to write into a log and to show on a terminal (L1, L2).
 *
 * Texts come from frames, paths and programs, hostile ones included. What comes out has no credential, no
 * character that moves a cursor or turns text around (they stand there as `\u{1b}`), and a bounded length.
 * Invariant: the result is one line.
 */
import { maskText } from "./masking.ts";

/** UTF-16 units of one text; what is longer is cut, and says so. */
export const textLengthMax = 8_192;

/** All controls (C0, DEL, C1), line separators, and the marks that reorder text on a screen. */
const controls = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** One text: cut, masked, without control characters. */
export function plainText(text: string): string {
  const cut = text.length > textLengthMax ? `${text.slice(0, textLengthMax)}… (${text.length} in all)` : text;
  return maskText(cut).replace(controls, escaped);
}

function escaped(character: string): string {
  switch (character) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    default:
      return `\\u{${character.charCodeAt(0).toString(16)}}`;
  }
}
