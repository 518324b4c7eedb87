/**
 * Code that a document quotes is the code that runs: `<!-- from examples/chat/app.ts -->` above a fenced block
 * says where it stands, and it must stand there, line for line.
 *
 * A quote is the whole file or lines that follow each other in it. A mark without a block, and a file that does
 * not exist, are as wrong as a block that was edited on one side only.
 */
import { type Finding, lineAt, type SourceFile } from "../finding.ts";

const mark = /<!-- from (\S+) -->/g;
/** The mark, an empty line or none, the fence, the text, the closing fence. */
const block = /^<!-- from \S+ -->\n\n?```\w*\n([\s\S]*?)^```$/m;

/** Every quote of a document that is not what its file says. */
export function quotes(document: SourceFile, files: readonly SourceFile[]): readonly Finding[] {
  return quotesOf(document).flatMap(({ line, from, text }) => {
    const file = files.find(({ path }) => path === from);
    const problem =
      file === undefined
        ? `quotes ${from}, which does not exist`
        : text === undefined
          ? `names ${from} and quotes nothing: put a fenced block below it`
          : `\n${file.text}`.includes(`\n${text}`)
            ? undefined
            : `quotes ${from} as it is not: copy it anew`;
    return problem === undefined ? [] : [{ path: document.path, line, message: problem }];
  });
}

/** What a document quotes, and where. */
export function quotesOf(
  document: SourceFile,
): readonly { readonly line: number; readonly from: string; readonly text: string | undefined }[] {
  return [...document.text.matchAll(mark)].map((match) => {
    const rest = document.text.slice(match.index);
    const found = block.exec(rest);
    return {
      line: lineAt(document.text, match.index),
      from: match[1] ?? "",
      text: found?.index === 0 ? found[1] : undefined,
    };
  });
}
