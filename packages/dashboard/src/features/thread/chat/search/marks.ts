/**
 * Where a text stands in what is shown: ranges over the text nodes, since what is searched may be cut by code and markup.
 *
 * It finds; marking is the browser's own (`useMarks.ts`), so nothing that is drawn is changed.
 */

/** Beyond so many nothing more is marked. */
export const marksMax = 1_000;

/** The places of `wanted`, whatever the case, in the parts of `root` that `parts` selects. */
export function placesIn(root: Element, parts: string, wanted: string): readonly Range[] {
  const ranges: Range[] = [];
  const needle = wanted.toLowerCase();
  if (needle === "") return ranges;
  for (const part of root.querySelectorAll(parts)) {
    const { text, pieces } = textOf(part);
    const lower = text.toLowerCase();
    // A letter whose lower case is longer moves all places behind it: rather no mark than a wrong one.
    if (lower.length !== text.length) continue;
    for (let at = lower.indexOf(needle); at !== -1; at = lower.indexOf(needle, at + needle.length)) {
      if (ranges.length >= marksMax) return ranges;
      ranges.push(rangeOf(pieces, at, at + needle.length));
    }
  }
  return ranges;
}

interface Piece {
  readonly node: Text;
  /** Where it begins in the text of its part. */
  readonly from: number;
}

function textOf(part: Element): { readonly text: string; readonly pieces: readonly Piece[] } {
  const pieces: Piece[] = [];
  let text = "";
  const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    pieces.push({ node: node as Text, from: text.length });
    text += node.nodeValue ?? "";
  }
  return { text, pieces };
}

function rangeOf(pieces: readonly Piece[], from: number, to: number): Range {
  const range = document.createRange();
  const start = pieces.findLast((piece) => piece.from <= from);
  const end = pieces.findLast((piece) => piece.from < to);
  if (start !== undefined) range.setStart(start.node, from - start.from);
  if (end !== undefined) range.setEnd(end.node, to - end.from);
  return range;
}
