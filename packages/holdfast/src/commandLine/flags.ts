/**
 * Reads flags by one table, so that every command judges them alike: a wrong one is one sentence.
 *
 * Node's own parser splits the words; what they mean is decided here, since its messages are several
 * sentences and differ between versions. A flag given twice counts the last time. Invariant: what is
 * returned holds only flags of the table. It deliberately does not judge values: their fields do.
 */
import { parseArgs } from "node:util";

/** Name without dashes → whether it takes a value. */
export type FlagTable = Readonly<Record<string, "value" | "switch">>;

export type Flags =
  | {
      readonly kind: "flags";
      readonly values: ReadonlyMap<string, string>;
      readonly switches: ReadonlySet<string>;
      /** Words before `--`. */
      readonly words: readonly string[];
      /** Words after `--`; undefined where there was none. */
      readonly command: readonly string[] | undefined;
    }
  | { readonly kind: "problem"; readonly sentence: string };

/** Splits `argv` (without program and command name) by the table. */
export function readFlags(argv: readonly string[], table: FlagTable): Flags {
  const end = argv.indexOf("--");
  const own = end === -1 ? argv : argv.slice(0, end);
  const command = end === -1 ? undefined : argv.slice(end + 1);
  const { tokens } = parseArgs({
    args: [...own],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(table).map(([name, kind]) => [name, { type: kind === "value" ? "string" : "boolean" } as const]),
    ),
  });
  const values = new Map<string, string>();
  const switches = new Set<string>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const kind = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (kind === undefined) return unknown(token.rawName, table);
    if (kind === "switch") {
      if (token.value !== undefined)
        return problem(`--${token.name} takes no value, but was given ${quoted(token.value)}; pass it alone.`);
      switches.add(token.name);
    } else {
      if (token.value === undefined || (token.inlineValue === false && token.value.startsWith("--"))) {
        return problem(`--${token.name} needs a value; pass it as --${token.name} <value>.`);
      }
      values.set(token.name, token.value);
    }
  }
  return { kind: "flags", values, switches, words, command };
}

/** A value as it is named in a sentence: one line, in quotes. */
export function quoted(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function unknown(name: string, table: FlagTable): Flags {
  const known = Object.keys(table)
    .map((one) => `--${one}`)
    .join(", ");
  return problem(`${quoted(name)} is not a flag of this command; use one of ${known}.`);
}

function problem(sentence: string): Flags {
  return { kind: "problem", sentence };
}
