/** From an agent's kind to what executes on this machine. */
import { type Clock, unreachable } from "@holdfast/protocol";
import { childEnvironment, shellOf } from "./environment.ts";
import type { MachineAgentOptions } from "./options.ts";
import { DemoExecutor } from "./programs/demo.ts";
import type { Executor } from "./programs/executor.ts";
import { ProgramExecutor } from "./programs/program.ts";
import { ShellExecutor } from "./programs/shell.ts";
import { exitCodeOf } from "./programs/terminalProgram.ts";
import type { SpawnPty } from "./pty/port.ts";
import { AgentStartError } from "./state/startError.ts";

/** `source` is this process's environment; `exited` is told when a program whose end is the agent's has ended. */
export function createExecutor(
  options: MachineAgentOptions,
  source: Readonly<Record<string, string | undefined>>,
  spawn: SpawnPty,
  clock: Clock,
  exited: (message: string) => void,
): Executor {
  const environment = childEnvironment(source, options.keepEnv);
  const { cwd, log, kind } = options;
  switch (kind) {
    case "shell":
      return new ShellExecutor({ shell: shellOf(source), cwd, environment, spawn, clock, log });
    case "terminal": {
      const [program, ...rest] = options.command ?? [];
      if (program === undefined)
        throw new AgentStartError("bad_option", "An agent of kind `terminal` needs a program.");
      const ended = (code: number): void => exited(`The program ${program} ended with exit code ${code}.`);
      return new ProgramExecutor({
        command: [program, ...rest],
        cwd,
        environment,
        spawn,
        clock,
        log,
        exited: (end) => ended(exitCodeOf(end)),
      });
    }
    case "custom":
      return new DemoExecutor(clock);
    default:
      return unreachable(kind);
  }
}
