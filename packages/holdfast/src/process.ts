/**
 * The process around a command: its arguments, its streams, its exit code.
 *
 * The repository's scripts run it in their own process; `main.ts` is the same for everybody else.
 */
import { inspect } from "node:util";
import { startCompileCache } from "./commandLine/compileCache.ts";
import { exitCodes } from "./commandLine/exitCodes.ts";
import { runCommand } from "./commands/run.ts";

/** Runs the command of `argv` (without program and script), and ends the process with its exit code. */
export async function runProcess(argv: readonly string[]): Promise<never> {
  // As the person has it: what is set below is for this process and its threads, not for the agents' commands.
  const environment = { ...process.env };
  startCompileCache({ workers: argv[0] === "serve" });
  // A reader that went away must not end what is running.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  try {
    const surroundings = {
      environment,
      directory: process.cwd(),
      output: process.stdout,
      errors: process.stderr,
    };
    process.exit(await runCommand(argv, surroundings));
  } catch (error) {
    process.stderr.write(`${inspect(error)}\n`);
    process.exit(exitCodes.failed);
  }
}
