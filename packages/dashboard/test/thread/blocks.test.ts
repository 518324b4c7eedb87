/** How a growing Markdown text is cut into blocks, and how each is drawn. */
import { describe, expect, it } from "vitest";
import {
  blockCharsMax,
  blocksOf,
  colouredCharsMax,
  colouredGrowingCharsMax,
  drawnBlocks,
  isDrawnAsMarkdown,
  lineCharsMax,
  listCharsMax,
  markdownCharsMax,
} from "../../src/features/thread/chat/blocks.ts";

const text = "# A\n\nOne\ntwo.\n\nSee:\n```js\nx\n\ny\n```\n1. a\n\n2. b\n\nEnd";
const items = (count: number): string => Array.from({ length: count }, (_, n) => `${n + 1}. item ${n + 1}`).join("\n");
const words = (chars: number): string => "word ".repeat(chars / 5);
const drawn = (whole: string, isWhole = true) => drawnBlocks(whole, isWhole).map((block) => block.drawn);

describe("a growing text", () => {
  it("keeps its blocks as it grows: only the last one changes", () => {
    for (const whole of [text, `${items(400)}\n\nAnd so on.`]) {
      const lines = whole.split("\n");
      let before: readonly string[] = [];
      for (let count = 1; count <= lines.length; count += 1) {
        const now = lines.slice(0, count).join("\n");
        const blocks = blocksOf(now);
        expect(blocks.join("\n")).toBe(now);
        expect(blocks.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
        before = blocks;
      }
    }
    expect(blocksOf(text)).toEqual(["# A\n", "One\ntwo.\n", "See:", "```js\nx\n\ny\n```", "1. a\n\n2. b\n", "End"]);
  });

  it("keeps them letter by letter, too", () => {
    let before: readonly string[] = [];
    for (let length = 1; length <= text.length; length += 1) {
      const blocks = blocksOf(text.slice(0, length));
      expect(blocks.join("\n")).toBe(text.slice(0, length));
      expect(blocks.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      before = blocks;
    }
  });

  it("has no block that takes long to draw: a long list is cut between items, what cannot be cut is drawn as it is", () => {
    const list = blocksOf(items(1_000));
    expect(list.length).toBeGreaterThan(3);
    for (const block of list) expect(block.length).toBeLessThan(listCharsMax + 100);
    expect(list.every((block) => /^\d+\. item/.test(block))).toBe(true);
    expect(drawn(words(blockCharsMax + 10))).toEqual(["plain"]);
    expect(drawn(words(blockCharsMax))).toEqual(["markdown"]);
    expect(drawn(words(colouredGrowingCharsMax + 10), false)).toEqual(["uncoloured"]);
  });

  it("colours a fence once it is over, and none that is long", () => {
    const fence = (chars: number, end = "\n```"): string => `\`\`\`ts\n${"x = 1;\n".repeat(chars / 7)}${end}`;
    expect(drawn(fence(5_000, ""), false)).toEqual(["uncoloured"]);
    expect(drawn(`${fence(5_000)}\nThen`, false)).toEqual(["markdown", "markdown"]);
    expect(drawn(fence(5_000))).toEqual(["markdown"]);
    expect(drawn(fence(colouredCharsMax + 100))).toEqual(["uncoloured"]);
    // Back ticks behind: code amid a line, and no end of what follows.
    expect(blocksOf("```a``` b\n\nc")).toEqual(["```a``` b\n", "c"]);
    // A fence within an item stays with it.
    expect(blocksOf("- a\n\n  ```\n  x\n  ```\n- b")).toHaveLength(1);
  });

  it("draws its last state as it is drawn: its end redraws nothing, but what refers to other blocks", () => {
    const long = `${Array.from({ length: 300 }, (_, n) => `Paragraph ${n} is **as long** as they are.`).join("\n\n")}\n\nEnd`;
    expect(drawnBlocks(long, true)).toEqual(drawnBlocks(long, false));
    const referring = `${long}\n\nSee [this][r].\n\n[r]: https://example.com/`;
    const changed = drawnBlocks(referring, true).filter(
      ({ text: of }, n) => of !== drawnBlocks(referring, false)[n]?.text,
    );
    expect(changed.map((block) => block.text)).toEqual([
      "See [this][r].\n\n\n[r]: https://example.com/",
      "[r]: https://example.com/\n\n[r]: https://example.com/",
    ]);
    const short = "See [this][r].\n\n[r]: https://example.com/";
    expect(drawnBlocks(short, true)).toEqual([{ text: short, drawn: "markdown" }]);
    expect(drawn(`${long}\n\nA note[^1].\n\n[^1]: It is here.`).at(-1)).toBe("plain");
  });

  it("[O5] is drawn as it is where laying it out could hold the page", () => {
    expect(isDrawnAsMarkdown("word ".repeat(1_000))).toBe(true);
    expect(isDrawnAsMarkdown("x".repeat(lineCharsMax + 1))).toBe(false);
    expect(isDrawnAsMarkdown("x\n".repeat(markdownCharsMax))).toBe(false);
    // Asked at each piece of an answer: long lines must not make the asking long.
    const before = process.cpuUsage();
    expect(isDrawnAsMarkdown(`${"x".repeat(lineCharsMax - 1)}\n`.repeat(4))).toBe(true);
    expect(process.cpuUsage(before).user).toBeLessThan(100_000);
    expect(isDrawnAsMarkdown(`a\n\n${"> ".repeat(20)}b`)).toBe(true);
    expect(isDrawnAsMarkdown(`a\n\n${"> ".repeat(21)}b`)).toBe(false);
  });
});
