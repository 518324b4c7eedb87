/** `holdfast backup <file>`: the store of a data folder as it is now, while its server runs or not. */
import type { ExitCode } from "../commandLine/exitCodes.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { storeCommand } from "./storeCommand.ts";

export function backup(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  return storeCommand("backup", argv, surroundings, async ({ data, file }) => {
    const { backupStore } = await import("@holdfast/server/backup");
    const { bytes } = backupStore({ folder: data, file });
    surroundings.output.write(`backup ${file} ${bytes} bytes\n`);
  });
}
