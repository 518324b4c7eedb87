/** A long answer as models write them, in which each word of a kind is numbered: so it is seen whether all are shown, in order. */

const sections = [
  (word: () => string) => `## Section ${word()}\n\n`,
  (word: () => string) =>
    `${Array.from({ length: 3 }, () => `Here is **${word()}** of an answer, with *${word()}*, \`${word()}\` and [${word()}](https://example.com/) in it, as long as they are.`).join(" ")}\n\n`,
  (word: () => string) =>
    `\`\`\`ts\n${Array.from({ length: 20 }, () => `export const ${word()} = await compute("text", { key: 17, other: true }); // as code is`).join("\n")}\n\`\`\`\n\n`,
  (word: () => string) =>
    `${Array.from({ length: 30 }, () => `- an item about ${word()}, in **a** list`).join("\n")}\n\n`,
  (word: () => string) =>
    `| name | what |\n| --- | --- |\n${Array.from({ length: 15 }, () => `| ${word()} | \`${word()}\` |`).join("\n")}\n\n`,
];

export interface LongAnswer {
  readonly text: string;
  /** How many words are numbered: `w1`, `w2` … */
  readonly words: number;
}

export function makeLongAnswer(charsMin: number): LongAnswer {
  let words = 0;
  let text = "";
  const word = (): string => {
    words += 1;
    return `w${words}`;
  };
  for (let index = 0; text.length < charsMin; index += 1) text += sections[index % sections.length]?.(word) ?? "";
  return { text, words };
}
