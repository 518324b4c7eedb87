/**
 * A growing Markdown text in blocks that no longer change, so that each piece of an answer costs its last block only.
 *
 * Pure. A block ends at an empty line outside of a code fence, where what follows is not indented (a list's item). What
 * needs the whole text, as a reference to a link that is defined at its end, is right once the message is finished and drawn
 * as one.
 */

/** Text of more than this, or with a longer line, is drawn as it is: laying it out as Markdown could hold the page (O5). */
export const markdownCharsMax = 40_000;
export const lineCharsMax = 10_000;

export function isDrawnAsMarkdown(text: string): boolean {
  return text.length <= markdownCharsMax && !new RegExp(`[^\\n]{${lineCharsMax + 1}}`).test(text);
}

export function blocksOf(text: string): readonly string[] {
  const blocks: string[] = [];
  let lines: string[] = [];
  let fence: string | undefined;
  let wasEmpty = false;
  const all = text.split("\n");
  for (const [index, line] of all.entries()) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    // The last line may still become the next item of a list.
    const isItem = (index === all.length - 1 ? /^(?:[-*+]|\d+[.)]?)(?:\s|$)/ : /^(?:[-*+]|\d+[.)])\s/).test(line);
    if (fence === undefined && wasEmpty && /^\S/.test(line) && !isItem) {
      blocks.push(lines.join("\n"));
      lines = [];
    }
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark[0] === fence[0] && mark.length >= fence.length) fence = undefined;
    }
    wasEmpty = line.trim() === "";
    lines.push(line);
  }
  blocks.push(lines.join("\n"));
  return blocks;
}
