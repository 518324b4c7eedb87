/**
 * `holdfast doctor <url>`: walks the way of a connection, says what each step found, and at the first failure what to do.
 *
 * It reads and writes nothing on this machine but the key's file, and changes nothing on the server.
 */
import { resolve } from "node:path";
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { lineOf } from "../doctor/finding.ts";
import { doctorTarget } from "../doctor/target.ts";
import { walk } from "../doctor/walk.ts";
import { readTextFile } from "../files/privateFile.ts";

/** One line a step on standard output. */
export async function doctor(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { environment, directory, output, errors } = surroundings;
  const target = doctorTarget({ argv, environment, readFile: (path) => readTextFile(resolve(directory, path)) });
  if ("problem" in target) {
    errors.write(`${target.problem}\n`);
    return exitCodes.wrongUse;
  }
  const isWell = await walk(target, (step, finding) => output.write(lineOf(step, finding, target.key)));
  return isWell ? exitCodes.done : exitCodes.failed;
}
