/**
 * One agent of this machine: a process in a session of its own that outlives the server's death.
 *
 * Life cycle: look at the lock in its folder → start, adopt or replace (`adoption.ts`) → watch → stop with the
 * server's clean stop. Its words go to `<folder>/log`, never to the server's. Invariant: at most one process a
 * folder, since it is the agent itself that takes the lock; a start that comes second ends by itself.
 * It deliberately does not start a process again that ended: the log says why it ended.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "@holdfast/server/log";
import { makeFolder } from "../files/makeFolder.ts";
import { isProcessLocked, type ProcessRecord, readProcessRecord } from "../files/processLock.ts";
import { until } from "../shell/wait.ts";
import { decideAdoption, type Wanted } from "./adoption.ts";

/** At a start, a log of more than this becomes `log.1`. */
export const agentLogBytesMax = 1024 * 1024;
/** How long an agent of another version may take to end politely before it is killed. */
export const replaceMsMax = 10_000;
/** The record follows the lock within this time. */
export const recordMsMax = 2_000;
/** A killed process is gone within this time. */
export const killedMsMax = 2_000;
const lookEveryMs = 20;
/** One that holds a folder, and those that waited a second for its lock when it ended. */
const holdersMax = 3;

export interface LocalAgentOptions extends Wanted {
  /** Name in the log. */
  readonly part: string;
  /** The agent's own folder. */
  readonly folder: string;
  /** Program and arguments. */
  readonly program: readonly [string, ...string[]];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** A process that we started ended without being asked to. */
  readonly onEnd?: (code: number | null) => void;
}

export interface LocalAgent {
  readonly pid: number;
  readonly adopted: boolean;
  /** SIGTERM, and SIGKILL after `msMax`. Idempotent. */
  stop(msMax: number): Promise<void>;
  /** SIGKILL. */
  kill(): void;
}

/** Makes sure that the agent runs. Throws where its program cannot be started at all. */
export async function startLocalAgent(options: LocalAgentOptions): Promise<LocalAgent> {
  makeFolder(options.folder);
  const adoption = decideAdoption(await livingProcess(options.folder), options);
  if (adoption.kind === "adopt") {
    options.log.info("localAgent.adopted", { part: options.part, pid: adoption.pid });
    return handle(adoption.pid, true, () => !isProcessLocked(options.folder), options);
  }
  if (adoption.kind === "replace") {
    options.log.info("localAgent.replaced", { part: options.part, pid: adoption.pid, why: adoption.why });
    await handle(adoption.pid, true, () => !isProcessLocked(options.folder), options).stop(replaceMsMax);
  }
  return started(options);
}

/**
 * Ends whoever holds the folder, whether we started it, adopted it, or lost sight of it: of two starts that
 * crossed, one process won the lock, and it need not be the one we watch.
 */
export async function stopHolder(
  options: Pick<LocalAgentOptions, "part" | "folder" | "log">,
  msMax: number,
): Promise<void> {
  for (let holders = 0; holders < holdersMax; holders += 1) {
    const living = await livingProcess(options.folder);
    if (living === undefined) return;
    options.log.warn("localAgent.unwatched", { part: options.part, pid: living.pid });
    // Gone when the lock is free, or when one that waited for it has taken it.
    const isGone = (): boolean =>
      !isProcessLocked(options.folder) || readProcessRecord(options.folder)?.pid !== living.pid;
    await handle(living.pid, true, isGone, options).stop(msMax);
  }
}

/** The record of the process that holds the folder. One that took the lock just now gets time to write it. */
async function livingProcess(folder: string): Promise<ProcessRecord | undefined> {
  let record: ProcessRecord | undefined;
  await until(
    () => {
      if (!isProcessLocked(folder)) return true;
      record = readProcessRecord(folder);
      return record !== undefined;
    },
    { msMax: recordMsMax, everyMs: lookEveryMs },
  );
  return record;
}

async function started(options: LocalAgentOptions): Promise<LocalAgent> {
  const output = openLog(options.folder);
  const [command, ...parameters] = options.program;
  const child = spawn(command, parameters, {
    cwd: options.cwd,
    env: { ...options.environment },
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  let isStopping = false;
  let isGone = false;
  child.once("exit", (code, signal) => {
    isGone = true;
    if (isStopping) return;
    options.log.error("localAgent.ended", {
      part: options.part,
      exitCode: code,
      signal,
      log: join(options.folder, "log"),
    });
    options.onEnd?.(code);
  });
  await new Promise<void>((done, failed) => {
    child.once("spawn", done);
    child.once("error", failed);
  });
  child.unref();
  const pid = child.pid ?? 0;
  options.log.info("localAgent.started", { part: options.part, pid });
  const agent = handle(pid, false, () => isGone, options);
  const stopping = (): void => {
    isStopping = true;
  };
  return {
    ...agent,
    stop: (msMax) => {
      stopping();
      return agent.stop(msMax);
    },
    kill: () => {
      stopping();
      agent.kill();
    },
  };
}

function handle(
  pid: number,
  adopted: boolean,
  isGone: () => boolean,
  { part, log }: Pick<LocalAgentOptions, "part" | "log">,
): LocalAgent {
  const signal = (name: "SIGTERM" | "SIGKILL"): void => {
    if (!isGone()) send(pid, name);
  };
  return {
    pid,
    adopted,
    kill: () => signal("SIGKILL"),
    stop: async (msMax) => {
      signal("SIGTERM");
      if (await until(isGone, { msMax, everyMs: lookEveryMs })) return;
      log.warn("localAgent.killed", { part, pid, afterMs: msMax });
      signal("SIGKILL");
      await until(isGone, { msMax: killedMsMax, everyMs: lookEveryMs });
    },
  };
}

/** A process that ended between the look and the signal is what was wanted. */
function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function openLog(folder: string): number {
  const path = join(folder, "log");
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes > agentLogBytesMax) renameSync(path, `${path}.1`);
  return openSync(path, "a", 0o600);
}
