/**
 * Brings a screen that a program left behind into a known state, and finds a clean line for ours.
 *
 * A program may end with colours on, in the alternate screen, in the middle of a line, or with the cursor
 * above what it drew. Nothing of that may reach the next command's output, or hide it.
 */
import type { Terminal } from "@xterm/xterm";

/**
 * Soft reset (DECSTR), ASCII in G0, numeric keypad and cursor keys, autowrap, visible cursor, no insert mode,
 * no bracketed paste, no synchronized update, no colours.
 */
const plainModes =
  "\x1b[!p\x1b(B\x0f\x1b>\x1b[?1l\x1b[?7h\x1b[?25h\x1b[4l\x1b[20l\x1b[?45l\x1b[?2004l\x1b[?2026l\x1b[0m";
/** Only where it is on: elsewhere it would move the cursor to where it was once saved. */
const leaveAlternate = "\x1b[?1049l";

/** What to write first; after it, {@link toFreshLine} reads the screen. */
export function resetSequence(terminal: Terminal): string {
  return terminal.buffer.active.type === "alternate" ? leaveAlternate + plainModes : plainModes;
}

/** Moves below everything on the screen, to the start of an empty line. */
export function toFreshLine(terminal: Terminal): string {
  const buffer = terminal.buffer.active;
  const cursorRow = buffer.baseY + buffer.cursorY;
  let lastRow = cursorRow - 1;
  for (let row = buffer.baseY + terminal.rows - 1; row >= cursorRow; row -= 1) {
    if ((buffer.getLine(row)?.translateToString(true) ?? "") !== "") {
      lastRow = row;
      break;
    }
  }
  if (lastRow < cursorRow) return "\r";
  const down = lastRow - cursorRow;
  return `${down > 0 ? `\x1b[${down}B` : ""}\r\n`;
}
