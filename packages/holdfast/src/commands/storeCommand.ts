/**
 * What `holdfast backup` and `holdfast restore` have in common: one file, the data folder that it is about, and one
 * sentence where it cannot be done.
 *
 * The folder and the kind of store come from the same settings as the server's, so that neither command takes the
 * embedded store for the one that the server uses where that is a PostgreSQL database.
 */
import { resolve } from "node:path";
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import { quoted, readFlags } from "../commandLine/flags.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { resolveConfig } from "../config/resolve.ts";
import { readTextFile } from "../files/privateFile.ts";

const flagTable = { data: "value", config: "value" } as const;
const databaseTools = { backup: "pg_dump", restore: "pg_restore" } as const;
type Command = keyof typeof databaseTools;

interface StoreArguments {
  /** Both absolute. */
  readonly file: string;
  readonly data: string;
}

/** Does `work`; where the words are wrong or the store refuses, that is said and is wrong use. */
export async function storeCommand(
  command: Command,
  argv: readonly string[],
  surroundings: Surroundings,
  work: (asked: StoreArguments) => Promise<void>,
): Promise<ExitCode> {
  const refuse = (sentence: string): ExitCode => {
    surroundings.errors.write(`${sentence}\n`);
    return exitCodes.wrongUse;
  };
  const asked = storeArguments(command, argv, surroundings);
  if ("problem" in asked) return refuse(asked.problem);
  const { StartError } = await import("@holdfast/server/backup");
  try {
    await work(asked);
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return refuse(error.message);
  }
}

/** `<file> [--data <folder>] [--config <file>]`, or the one sentence why not. */
function storeArguments(
  command: Command,
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
