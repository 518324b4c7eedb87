/**
 * `holdfast agent`: runs one agent in this process until it is told to stop, refused or fenced.
 *
 * Life cycle: settings → the folder's lock (`processLock.ts`: one process a folder, found and adopted by the
 * server's next start) → the agent → its end, which is the exit code. Standard error is its log.
 */
import { homedir, hostname, platform } from "node:os";
import type { AgentOptions } from "@holdfast/agent";
import { unreachable } from "@holdfast/protocol";
import { type AgentSettings, agentSettings } from "../agent/options.ts";
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import { logWarnings, makeLog } from "../commandLine/logOutput.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { logSettings } from "../config/resolve.ts";
import { readKey } from "../files/keyFile.ts";
import { lockProcess, type ProcessLock } from "../files/processLock.ts";
import { readServerRecord } from "../files/serverFile.ts";
import { onStopSignals } from "../shell/signals.ts";
import { watchFile } from "../shell/watchFile.ts";
import { version } from "../version.ts";

/** Runs until the agent ends. */
export async function agent(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { environment, directory, errors } = surroundings;
  const refuse = (sentence: string): ExitCode => {
    errors.write(`${sentence}\n`);
    return exitCodes.wrongUse;
  };
  const settings = agentSettings({
    argv,
    environment,
    directory,
    platform: platform(),
    home: homedir(),
    hostname: hostname(),
  });
  if ("problem" in settings) return refuse(settings.problem);
  const logged = logSettings(environment);
  if ("problem" in logged) return refuse(logged.problem);
  const log = makeLog(logged.settings, surroundings);
  logWarnings(log);

  // Loaded only now: a refusal needs no agent.
  const { runAgent } = await import("@holdfast/agent");
  const key = settings.key ?? readKey(settings.state);
  const lock = locked(settings.state, key !== undefined);
  if ("problem" in lock) return refuse(lock.problem);
  try {
    const running = await runAgent({ ...options(settings), ...(key === undefined ? {} : { key }), log });
    const forget = onStopSignals({
      stop: () => void running.stop("shutdown"),
      abort: () => process.exit(exitCodes.interruptedTwice),
    });
    const unwatch =
      "file" in settings.server ? watchFile(settings.server.file, () => running.serverReturned()) : undefined;
    const end = await running.stopped;
    unwatch?.();
    forget();
    log.info("agent.ended", { reason: end.reason, message: end.message });
    return exitCode(end.reason);
  } catch (error) {
    if (error instanceof Error && error.name === "AgentStartError") return refuse(error.message);
    throw error;
  } finally {
    lock.release();
  }
}

function locked(state: string, key: boolean): ProcessLock | { readonly problem: string } {
  try {
    const lock = lockProcess(state, { pid: process.pid, version, key });
    return (
      lock ?? {
        problem: `An agent already runs in the folder "${state}"; stop it, or name another folder as --state <folder>.`,
      }
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      problem: `The state folder "${state}" cannot be used (${reason}); make it writable, or name another as --state <folder>.`,
    };
  }
}

function exitCode(reason: "stopped" | "fenced" | "refused"): ExitCode {
  switch (reason) {
    case "stopped":
      return exitCodes.done;
    case "refused":
      return exitCodes.refused;
    case "fenced":
      return exitCodes.fenced;
    default:
      return unreachable(reason);
  }
}

function options(settings: AgentSettings): Omit<AgentOptions, "key" | "log"> {
  return {
    server: "url" in settings.server ? settings.server.url : serverInFile(settings.server.file),
    name: settings.name,
    kind: settings.part === "demo" ? "custom" : settings.part,
    ...(settings.command === undefined ? {} : { command: settings.command }),
    cwd: settings.cwd,
    state: settings.state,
    keepEnv: settings.keepEnv,
  };
}

/** Asked before each attempt: the port may change between two starts of the server. */
function serverInFile(path: string): () => string {
  // Where no server has ever been told of: an attempt that fails, and is made again later.
  let last = "http://127.0.0.1:0";
  return () => {
    last = readServerRecord(path)?.url ?? last;
    return last;
  };
}
