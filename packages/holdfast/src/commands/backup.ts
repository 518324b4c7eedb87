/** `holdfast backup <file>`: the store of a data folder as it is now, while its server runs or not. */
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { storeArguments } from "./storeCommand.ts";

export async function backup(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { output, errors } = surroundings;
  const asked = storeArguments("backup", argv, surroundings);
  if ("problem" in asked) {
    errors.write(`${asked.problem}\n`);
    return exitCodes.wrongUse;
  }
  const { backupStore, StartError } = await import("@holdfast/server/backup");
  try {
    const { bytes } = backupStore({ folder: asked.data, file: asked.file });
    output.write(`backup ${asked.file} ${bytes} bytes\n`);
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    errors.write(`${error.message}\n`);
    return exitCodes.wrongUse;
  }
}
