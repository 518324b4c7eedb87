/**
 * Writes a module anew with some of its property names shortened; everything else stays as it is, to the character.
 *
 * The same names are shortened in all modules of the client, so that they go on meaning the same. Only names that
 * stand unquoted are: who reads one by its text is found by `reflection.ts`.
 */
import { type Module, propertyName, walk } from "./syntax.ts";

const letters = "etnriaosclufdpmhgvybxwkjSCTEDOAMNPFILRzBVHUWGKqJYXZQ";

/** Name → the name that stands for it, the shortest for the first; none of `taken` is given. */
export function shortNames(names: readonly string[], taken: ReadonlySet<string>): ReadonlyMap<string, string> {
  const one = [...letters];
  const free = [...one, ...one.flatMap((first) => one.map((second) => first + second))].filter(
    (short) => !taken.has(short),
  );
  return new Map(
    names.map((name, index) => {
      const short = free[index];
      if (short === undefined) throw new Error(`${name}: no name of two letters is left, list fewer`);
      return [name, short];
    }),
  );
}

export function shorten({ text, tree }: Module, names: ReadonlyMap<string, string>): string {
  const edits: { start: number; end: number; text: string }[] = [];
  walk(tree, (node) => {
    const property = propertyName(node);
    const short = property && names.get(property.name);
    if (property === undefined || short === undefined) return;
    const { start, end, isShort } = property;
    edits.push(isShort ? { start, end: start, text: `${short}: ` } : { start, end, text: short });
  });
  edits.sort((one, other) => one.start - other.start);
  let written = "";
  let at = 0;
  for (const edit of edits) {
    written += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return written + text.slice(at);
}
