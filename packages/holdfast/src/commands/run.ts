/**
 * Which command runs. Each is loaded only when it is asked for: `holdfast sign-in` needs no server.
 */
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import { quoted } from "../commandLine/flags.ts";
import { helpText } from "../commandLine/help.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { version } from "../version.ts";

const commands = "serve, agent, sign-in, backup, restore, doctor, --help, --version";

/** `argv` is without program and script. Resolves with the exit code; a rejection is a fault of ours. */
export async function runCommand(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const [command, ...rest] = argv;
  const own = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (own.includes("--help")) return runCommand(["--help"], surroundings);
  switch (command) {
    case "serve":
      return (await import("./serve.ts")).serve(rest, surroundings);
    case "agent":
      return (await import("./agent.ts")).agent(rest, surroundings);
    case "assistants":
      return (await import("./assistants.ts")).assistants(rest, surroundings);
    case "backup":
      return (await import("./backup.ts")).backup(rest, surroundings);
    case "restore":
      return (await import("./restore.ts")).restore(rest, surroundings);
    case "doctor":
      return (await import("./doctor.ts")).doctor(rest, surroundings);
    case "sign-in":
      return (await import("./signIn.ts")).signIn(rest, surroundings);
    case "--help":
    case "help":
      surroundings.output.write(helpText(version));
      return exitCodes.done;
    case "--version":
      surroundings.output.write(`${version}\n`);
      return exitCodes.done;
    default:
      surroundings.errors.write(
        `${command === undefined ? "There is no command" : `${quoted(command)} is not a command`}; use one of ${commands}.\n`,
      );
      return exitCodes.wrongUse;
  }
}
