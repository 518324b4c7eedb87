/**
 * Text from outside on its way into rows and titles.
 *
 * Databases refuse NUL and lone surrogates, each in its own way; here they are refused or replaced once.
 * Control characters never reach a name or a title, where they could forge what a person reads.
 */
import { ProtocolError } from "@holdfast/protocol";

const titleLengthMax = 80;
const replacement = "\u{fffd}";
/** Control, line-separating, direction-changing and invisible characters; the joiners of emoji stay. */
const controlCharacters = /[\p{Cc}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+/gu;

/** Refuses what no database keeps as it is: NUL, and surrogates without their half. */
export function requireStorable(text: string, field: string): string {
  if (text.isWellFormed() && !text.includes("\0")) return text;
  throw new ProtocolError("invalid_params", `\`${field}\` holds a NUL or half a character; send plain text`, {
    details: { field },
  });
}

/** The same, replaced instead of refused: for text that somebody else is the author of. */
export function toStorable(text: string): string {
  return text.toWellFormed().replaceAll("\0", replacement);
}

/** One line without control or invisible formatting characters, for names and titles. */
export function toLine(text: string): string {
  return text.toWellFormed().replace(controlCharacters, " ").replace(/\s+/gu, " ").trim();
}

/** At most `lengthMax` characters, the last of them an ellipsis where something was cut; never half a character. */
export function shorten(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** A thread's title from the text of its first command: its first line that says something. */
export function titleOf(text: string): string {
  return shorten(toLine(text.trimStart().split(/\r?\n/, 1)[0] ?? ""), titleLengthMax);
}
