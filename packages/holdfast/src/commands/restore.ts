/**
 * `holdfast restore <file>`: puts a backup in the place of a data folder's store, under new epochs (ST-15).
 *
 * The server must stand still. What was revoked since the backup (sessions, keys) is valid again afterwards, and
 * that is said.
 */
import type { Plugin } from "@holdfast/server";
import type { ExitCode } from "../commandLine/exitCodes.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { storeCommand } from "./storeCommand.ts";

export function restore(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { output, errors } = surroundings;
  return storeCommand("restore", argv, surroundings, async ({ data, file }) => {
    const { restoreStore, ownPlugins } = await import("@holdfast/server/backup");
    const { plugin } = (await import("@holdfast/control/plugin")) as { plugin: Plugin };
    const { streams, kept } = restoreStore({ folder: data, file, plugins: [...ownPlugins, plugin] });
    output.write(`restored ${streams} streams, each under a new epoch\n`);
    if (kept !== undefined) output.write(`kept ${kept}\n`);
    errors.write("Sessions and keys that were ended since this backup are valid again: end them once more.\n");
  });
}
