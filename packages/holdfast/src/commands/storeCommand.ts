/**
 * What `holdfast backup` and `holdfast restore` have in common: one file, and the data folder that it is about.
 *
 * The folder and the kind of store come from the same settings as the server's, so that neither command takes the
 * embedded store for the one that the server uses where that is a PostgreSQL database.
 */
import { resolve } from "node:path";
import { quoted, readFlags } from "../commandLine/flags.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { resolveConfig } from "../config/resolve.ts";
import { readTextFile } from "../files/privateFile.ts";

const flagTable = { data: "value", config: "value" } as const;
const databaseTools = { backup: "pg_dump", restore: "pg_restore" } as const;

export interface StoreArguments {
  /** Both absolute. */
  readonly file: string;
  readonly data: string;
}

/** `<file> [--data <folder>] [--config <file>]`, or the one sentence why not. */
export function storeArguments(
  command: "backup" | "restore",
  argv: readonly string[],
  { environment, directory }: Pick<Surroundings, "environment" | "directory">,
): StoreArguments | { readonly problem: string } {
  const flags = readFlags(argv, flagTable);
  if (flags.kind === "problem") return { problem: flags.sentence };
  const [file, extra] = [...flags.words, ...(flags.command ?? [])];
  if (file === undefined || file === "") return { problem: `A file is missing; write holdfast ${command} <file>.` };
  if (extra !== undefined)
    return { problem: `${quoted(extra)} is one word too many; write holdfast ${command} <file>.` };
  const settings = [...flags.values].flatMap(([name, value]) => [`--${name}`, value]);
  const resolved = resolveConfig({ argv: settings, environment, directory, readFile: readTextFile });
  if ("problem" in resolved) return resolved;
  const { database, data } = resolved.config;
  if (database.url !== null)
    return {
      problem: `The store is the PostgreSQL database of database.url, which holdfast ${command} does not touch; use PostgreSQL's own ${databaseTools[command]}.`,
    };
  return { file: resolve(directory, file), data };
}
