/**
 * A terminal's text as lines: wrapped rows joined, blanks at the ends of lines and empty lines at the end removed.
 *
 * In the alternate screen (an editor, a pager) the history comes first, then what is on the screen.
 */
import type { IBuffer, Terminal } from "@xterm/xterm";

export function bufferLines(terminal: Pick<Terminal, "buffer">): readonly string[] {
  const { active, normal } = terminal.buffer;
  const lines = linesOf(normal);
  if (active.type === "alternate") lines.push(...linesOf(active));
  return lines;
}

/** Rows from the buffer's start to the cursor: how much has been drawn. */
export function rowsDrawn(terminal: Pick<Terminal, "buffer">): number {
  const buffer = terminal.buffer.normal;
  return buffer.baseY + buffer.cursorY + (buffer.cursorX > 0 ? 1 : 0);
}

function linesOf(buffer: IBuffer): string[] {
  const lines: string[] = [];
  for (let row = 0; row < buffer.length; row += 1) {
    const line = buffer.getLine(row);
    if (line === undefined) continue;
    const continues = buffer.getLine(row + 1)?.isWrapped === true;
    const text = line.translateToString(!continues);
    if (line.isWrapped && lines.length > 0) lines.push((lines.pop() ?? "") + text);
    else lines.push(text);
  }
  while (lines.at(-1)?.trimEnd() === "") lines.pop();
  return lines.map((line) => line.trimEnd());
}
