/** What documents quote is what runs. Each way to be wrong is shown red once. */
import { expect, test } from "vitest";
import { type SourceFile, describe as told } from "../src/finding.ts";
import { fileAt, readRepository } from "../src/repository.ts";
import { quotes, quotesOf } from "../src/rules/quotes.ts";

const files = readRepository();
const documents = files.filter(({ path }) => path.endsWith(".md"));
const linesMax = 60;

test("every quote is the code that runs", () => {
  expect(told(documents.flatMap((document) => quotes(document, files)))).toBe("");
});

test("the handbook quotes both sides of an app", () => {
  const quoted = quotesOf(fileAt(files, "docs/own-app.md")).map(({ from }) => from);
  expect(quoted).toEqual(
    expect.arrayContaining(["examples/chat/app.ts", "examples/chat/server.ts", "examples/chat/chat.tsx"]),
  );
});

test.each(["board", "chat"])("the example %s has at most 60 lines a side", (name) => {
  const linesOf = (file: string): number => fileAt(files, `examples/${name}/${file}`).text.trimEnd().split("\n").length;
  expect(linesOf("app.ts") + linesOf("server.ts")).toBeLessThanOrEqual(linesMax);
  expect(linesOf(`${name}.tsx`)).toBeLessThanOrEqual(linesMax);
});

const source: SourceFile = { path: "examples/a/app.ts", text: "one();\ntwo();\nthree();\n" };
const judge = (text: string): string => told(quotes({ path: "docs/a.md", text }, [source]));
const quote = (text: string, from = source.path): string => `# A\n\n<!-- from ${from} -->\n\n\`\`\`ts\n${text}\`\`\`\n`;

test("quotes: the whole file and lines that follow each other are green", () => {
  for (const text of [source.text, "one();\ntwo();\n", "three();\n"]) expect(judge(quote(text))).toBe("");
  expect(judge("```ts\nanything();\n```\n")).toBe("");
});

test.each([
  [quote("one();\nthree();\n"), "docs/a.md:3  quotes examples/a/app.ts as it is not"],
  [quote("ne();\n"), "as it is not"],
  [quote("two()\n"), "as it is not"],
  [quote("one();\n", "examples/b/app.ts"), "examples/b/app.ts, which does not exist"],
  [`<!-- from ${source.path} -->\n\nText.\n\n\`\`\`ts\none();\n\`\`\`\n`, "quotes nothing"],
  [`<!-- from ${source.path} -->\n`, "quotes nothing"],
])("quotes: %j is red", (text, named) => {
  expect(judge(text)).toContain(named);
});
