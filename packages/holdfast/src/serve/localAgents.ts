/**
 * The agents of this machine as the server's start wants them: which ones, in which folders, run how.
 *
 * An agent's folder is named by its part (`shell`, `demo`), not by its name: a laptop whose host name changes
 * with the network still has one shell agent. But in development mode each gets a key at its first start, kept in
 * its folder; a key that the server no longer accepts is replaced once. Invariant: after `stop` or `kill`
 * nothing is started any more, also by a start under way.
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Log } from "@holdfast/server/log";
import { exitCodes } from "../commandLine/exitCodes.ts";
import type { Config } from "../config/fields.ts";
import { readKey, writeKey } from "../files/keyFile.ts";
import { serverFile } from "../files/serverFile.ts";
import { type LocalAgent, startLocalAgent, stopHolder } from "../localAgents/localAgentShell.ts";
import { loginEnvironment } from "../localAgents/loginEnvironment.ts";

export interface LocalPart {
  readonly part: "shell" | "demo";
  readonly name: string;
  /** As the protocol calls it. */
  readonly kind: "shell" | "custom";
}

/** The parts that are switched on. */
export function localParts(agents: Config["agents"]): readonly LocalPart[] {
  return [
    ...(agents.shell ? [{ part: "shell", name: hostname(), kind: "shell" } as const] : []),
    ...(agents.demo ? [{ part: "demo", name: "demo", kind: "custom" } as const] : []),
  ];
}

export interface LocalAgentsOptions {
  readonly config: Config;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly log: Log;
  /** Makes a key for an agent of this name. */
  readonly agentKey: (name: string) => Promise<string>;
  /** Program and arguments before the agent's own; the tests run another. */
  readonly program?: readonly [string, ...string[]];
}

export interface LocalAgents {
  /** SIGTERM to all, SIGKILL after `msMax`. */
  stop(msMax: number): Promise<void>;
  kill(): void;
}

/** Begins to start, adopt or replace them all, side by side. One that cannot be started is logged, and the others go on. */
export function startLocalAgents(parts: readonly LocalPart[], options: LocalAgentsOptions): LocalAgents {
  const running = new Map<LocalPart, LocalAgent>();
  const starts = new Set<Promise<void>>();
  let isStopping = false;

  const begin = (part: LocalPart, isRenewed: boolean): void => {
    const starting = start(part, isRenewed)
      .catch((error: unknown) => options.log.error("localAgent.failed", { part: part.part, error }))
      .finally(() => starts.delete(starting));
    starts.add(starting);
  };
  const start = async (part: LocalPart, isRenewed: boolean): Promise<void> => {
    const folder = folderOf(part.part, options);
    const needsKey = options.config.mode !== "development";
    if (isRenewed || (needsKey && readKey(folder) === undefined)) writeKey(folder, await options.agentKey(part.name));
    if (isStopping) return;
    const agent = await startLocalAgent({
      part: part.part,
      folder,
      program: program(part, folder, options),
      cwd: options.directory,
      environment: loginEnvironment(options.environment),
      version: options.version,
      key: needsKey,
      log: options.log,
      onEnd: (code) => {
        running.delete(part);
        if (code === exitCodes.refused && !isRenewed && !isStopping) begin(part, true);
      },
    });
    running.set(part, agent);
  };

  for (const part of parts) begin(part, false);
  return {
    stop: async (msMax) => {
      isStopping = true;
      // The living ones at once; then the ones that a start under way still brings.
      await Promise.all([...running.values()].map((agent) => agent.stop(msMax)));
      await Promise.all(starts);
      await Promise.all([...running.values()].map((agent) => agent.stop(msMax)));
      await Promise.all(
        parts.map(({ part }) => stopHolder({ part, folder: folderOf(part, options), log: options.log }, msMax)),
      );
    },
    kill: () => {
      isStopping = true;
      for (const agent of running.values()) agent.kill();
    },
  };
}

function folderOf(part: LocalPart["part"], { config }: LocalAgentsOptions): string {
  return join(config.data, "agent", part);
}

function program(
  { part, name }: LocalPart,
  folder: string,
  { config, directory, program: given }: LocalAgentsOptions,
): readonly [string, ...string[]] {
  const own: readonly [string, ...string[]] = given ?? [
    process.execPath,
    fileURLToPath(new URL("../main.ts", import.meta.url)),
  ];
  const server = serverFile(config.data);
  return [...own, "agent", "--kind", part, "--name", name, "--server", server, "--state", folder, "--cwd", directory];
}
