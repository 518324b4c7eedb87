/**
 * What `holdfast backup` and `holdfast restore` have in common: one file, and the data folder that it is about.
 */
import { resolve } from "node:path";
import { quoted, readFlags } from "../commandLine/flags.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { environmentName, fields } from "../config/fields.ts";

const flagTable = { data: "value" } as const;

export interface StoreArguments {
  /** Both absolute. */
  readonly file: string;
  readonly data: string;
}

/** `<file> [--data <folder>]`, or the one sentence why not. */
export function storeArguments(
  command: "backup" | "restore",
  argv: readonly string[],
  { environment, directory }: Pick<Surroundings, "environment" | "directory">,
): StoreArguments | { readonly problem: string } {
  const flags = readFlags(argv, flagTable);
  if (flags.kind === "problem") return { problem: flags.sentence };
  const words = [...flags.words, ...(flags.command ?? [])];
  const [file, extra] = words;
  if (file === undefined || file === "") return { problem: `A file is missing; write holdfast ${command} <file>.` };
  if (extra !== undefined)
    return { problem: `${quoted(extra)} is one word too many; write holdfast ${command} <file>.` };
  if (environment["DATABASE_URL"] || environment["HOLDFAST_DATABASE_URL"])
    return {
      problem: `The store is the PostgreSQL database of DATABASE_URL, which holdfast ${command} does not touch; use PostgreSQL's own ${command === "backup" ? "pg_dump" : "pg_restore"}.`,
    };
  const byDefault = String(fields.find((field) => field.path === "data")?.default);
  const data = flags.values.get("data") ?? (environment[environmentName("data")] || byDefault);
  return { file: resolve(directory, file), data: resolve(directory, data) };
}
