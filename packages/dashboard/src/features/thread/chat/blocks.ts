/**
 * A Markdown text in blocks that no longer change, so that each piece of an answer costs its last block only, and the end
 * of an answer costs nothing.
 *
 * Pure. A block ends at an empty line outside of a code fence, where what follows is not indented (a list's item), and
 * around a fence. A list that grows long is cut between two items. Each block is small enough to be drawn at one go
 * without holding the page (O5): what cannot be cut is drawn as it is, or without colours. Invariants: the blocks, joined
 * by line ends, are the text; while it grows by whole lines, only the last block changes. It deliberately does not parse:
 * what it takes for a fence or an item wrongly is cut in another place, and loses no word.
 */

/** A text of more than this, or with a longer line, is drawn as it is. */
export const markdownCharsMax = 40_000;
export const lineCharsMax = 10_000;
/** A block of more than this that is no fence is drawn as it is; so is the whole of a short text with references. */
export const blockCharsMax = 8_000;
/** A list of more than this goes on in another block. */
export const listCharsMax = 2_000;
/** A fence of more than this has no colours; one that still grows has them up to the second. */
export const colouredCharsMax = 10_000;
export const colouredGrowingCharsMax = 2_000;
/** Marks of quotations on one line: a parser goes down one level with each. */
const quotesMax = 20;
/** What is appended to blocks that refer to links defined elsewhere. */
const definitionsCharsMax = 4_000;

export interface Block {
  readonly text: string;
  /** `uncoloured`: as Markdown, without the colours of code. */
  readonly drawn: "markdown" | "uncoloured" | "plain";
}

/** @param isWhole nothing is added any more: references to what is defined anywhere in it are resolved */
export function drawnBlocks(text: string, isWhole: boolean): readonly Block[] {
  if (!isDrawnAsMarkdown(text)) return [{ text, drawn: "plain" }];
  const blocks = blocksOf(text);
  const definitions = isWhole ? blocks.flatMap(definitionsOf) : [];
  if (definitions.length > 0 && text.length <= blockCharsMax) return [{ text, drawn: "markdown" }];
  const links = definitions.filter((line) => !footnote.test(line)).join("\n");
  return blocks.map((block, index) => {
    const drawn = howDrawn(block, isWhole || index < blocks.length - 1);
    const refers = links !== "" && links.length <= definitionsCharsMax && drawn === "markdown" && block.includes("[");
    return { text: refers ? `${block}\n\n${links}` : block, drawn };
  });
}

export function isDrawnAsMarkdown(text: string): boolean {
  if (text.length > markdownCharsMax || deepQuotation.test(text)) return false;
  // No pattern: one that looks for a long line looks again from each of its characters.
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\n", from);
    if ((end === -1 ? text.length : end) - from > lineCharsMax) return false;
    if (end === -1) break;
    from = end + 1;
  }
  return true;
}

export function blocksOf(text: string): readonly string[] {
  const blocks: string[] = [];
  let lines: string[] = [];
  let chars = 0;
  let fence: string | undefined;
  let wasEmpty = false;
  let isOver = false;
  const all = text.split("\n");
  for (const [index, line] of all.entries()) {
    const opens = fence === undefined ? fenceOpening.exec(line)?.[1] : undefined;
    const isItem = item.test(line);
    // The last line may still become the next item of a list.
    const mayBeItem = isItem || (index === all.length - 1 && unfinishedItem.test(line));
    const isNext = fence === undefined && wasEmpty && /^\S/.test(line) && !mayBeItem;
    const isFence = opens !== undefined && !line.startsWith(" ");
    const isLong = isItem && fence === undefined && chars > listCharsMax && item.test(lines[0] ?? "");
    if (lines.length > 0 && (isOver || isNext || isFence || isLong)) {
      blocks.push(lines.join("\n"));
      lines = [];
      chars = 0;
    }
    isOver = false;
    if (opens !== undefined) fence = opens;
    else if (fence !== undefined && closes(line, fence)) {
      // A fence of a list's item ends with its item.
      isOver = !(lines[0] ?? "").startsWith(" ") && fenceOpening.test(lines[0] ?? "");
      fence = undefined;
    }
    wasEmpty = line.trim() === "";
    lines.push(line);
    chars += line.length + 1;
  }
  blocks.push(lines.join("\n"));
  return blocks;
}

/** A fence of back ticks has none behind: else it is code amid a line. */
const fenceOpening = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const item = /^(?:[-*+]|\d+[.)])\s/;
const unfinishedItem = /^(?:[-*+]|\d+[.)]?)$/;
const definition = /^ {0,3}\[[^\]\n]+\]:\s*\S/;
const footnote = /^ {0,3}\[\^/;
const deepQuotation = new RegExp(`^(?:[ \\t]*>){${quotesMax + 1}}`, "m");

function closes(line: string, fence: string): boolean {
  const mark = /^ {0,3}(`{3,}|~{3,})\s*$/.exec(line)?.[1];
  return mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length;
}

function howDrawn(block: string, isOver: boolean): Block["drawn"] {
  if (fenceOpening.test(block.slice(0, block.indexOf("\n") + 1 || undefined).trimEnd())) {
    return block.length <= (isOver ? colouredCharsMax : colouredGrowingCharsMax) ? "markdown" : "uncoloured";
  }
  // A note is drawn where it is referred to: not in this block.
  if (block.length > blockCharsMax || definitionsOf(block).some((line) => footnote.test(line))) return "plain";
  return isOver || block.length <= colouredGrowingCharsMax ? "markdown" : "uncoloured";
}

function definitionsOf(block: string): readonly string[] {
  if (fenceOpening.test(block.split("\n", 1)[0] ?? "")) return [];
  return block.split("\n").filter((line) => definition.test(line));
}
