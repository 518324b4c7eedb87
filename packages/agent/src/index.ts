/**
 * Turns a terminal into a client of the control centre.
 *
 * `runAgent` is all there is for a caller: it installs no signal handlers, prints nothing, and leaves nothing.
 */
import { createPublisherSession } from "@holdfast/client/publisher";
import { type AgentEnd, type RunningAgent, startAgent } from "./agent.ts";
import { createExecutor } from "./executors.ts";
import type { AgentLog } from "./log.ts";
import type { MachineAgentOptions } from "./options.ts";
import { systemClock, systemRandom } from "./ports/system.ts";
import { nodePty } from "./pty/nodePtyShell.ts";
import { openStateFolder } from "./state/folder.ts";
import { AgentStartError, type StartErrorCode } from "./state/startError.ts";

export type { AgentEnd, AgentLog, MachineAgentOptions as AgentOptions, RunningAgent, StartErrorCode };
export { AgentStartError };

/** Starts an agent on this machine. Rejects with an {@link AgentStartError}, a sentence to print. */
export function runAgent(options: MachineAgentOptions): Promise<RunningAgent> {
  return startAgent(options, {
    createSession: createPublisherSession,
    createExecutor: (_, exited) => createExecutor(options, process.env, nodePty(systemClock), systemClock, exited),
    openState: openStateFolder,
    clock: systemClock,
    random: systemRandom,
  });
}
