/**
 * `holdfast restore <file>`: puts a backup in the place of a data folder's store, under new epochs (ST-15).
 *
 * The server must stand still. What was revoked since the backup (sessions, keys) is valid again afterwards, and
 * that is said.
 */
import type { Plugin } from "@holdfast/server";
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { storeArguments } from "./storeCommand.ts";

export async function restore(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { output, errors } = surroundings;
  const asked = storeArguments("restore", argv, surroundings);
  if ("problem" in asked) {
    errors.write(`${asked.problem}\n`);
    return exitCodes.wrongUse;
  }
  const { restoreStore, ownPlugins, StartError } = await import("@holdfast/server/backup");
  const { plugin } = (await import("@holdfast/control/plugin")) as { plugin: Plugin };
  try {
    const { streams, kept } = restoreStore({
      folder: asked.data,
      file: asked.file,
      plugins: [...ownPlugins, plugin],
    });
    output.write(`restored ${streams} streams, each under a new epoch\n`);
    if (kept !== undefined) output.write(`kept ${kept}\n`);
    errors.write("Sessions and keys that were ended since this backup are valid again: end them once more.\n");
    return exitCodes.done;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    errors.write(`${error.message}\n`);
    return exitCodes.wrongUse;
  }
}
