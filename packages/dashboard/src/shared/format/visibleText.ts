/**
 * Makes what cannot be seen visible: control, bidirectional and zero-width characters of somebody else's text.
 *
 * A command's text is drawn into a terminal and beside buttons; were its control characters left as they
 * are, it could draw anything (O4, O6). Invariant: the result holds no character of the classes C0, C1,
 * bidirectional control or zero width, except the line breaks that the caller asked to keep.
 */

/** Controls, format characters (bidirectional, zero width, tags), line and paragraph separators, lone surrogates. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text with every invisible character replaced by a visible sign; `keepLines` leaves `\n` as it is. */
export function visibleText(text: string, options: { keepLines?: boolean } = {}): string {
  return text.replace(invisible, (character) =>
    options.keepLines && character === "\n" ? character : sign(character),
  );
}

/** `↵` for a line break, control pictures where Unicode has them (␛), else the code point in brackets (⟨202E⟩). */
function sign(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === "\n") return "↵";
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `⟨${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
