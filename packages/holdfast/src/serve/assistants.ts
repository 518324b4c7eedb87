/**
 * The assistants' process as the server's start wants it: configured, started or adopted, and started again.
 *
 * Life cycle: the file says which assistants there are → process → ended without being asked to: started again after
 * {@link restartMs}, doubling while it goes on ending at once → stopped with the server's clean stop. What it was amid is
 * told as lost by the server (CONTROL.md "Chat"). Invariant: after `stop` or `kill` nothing is started any more.
 */
import { fileURLToPath } from "node:url";
import type { Log } from "@holdfast/server/log";
import { assistantFolder, assistantsFolder, writeAssistants } from "../assistants/files.ts";
import { exitCodes } from "../commandLine/exitCodes.ts";
import type { Config } from "../config/fields.ts";
import { readKey, writeKey } from "../files/keyFile.ts";
import { isProcessLocked } from "../files/processLock.ts";
import { serverFile } from "../files/serverFile.ts";
import { type LocalAgent, startLocalAgent, stopHolder } from "../localAgents/localAgentShell.ts";
import { loginEnvironment } from "../localAgents/loginEnvironment.ts";
import { monotonicMs, sleep } from "../shell/wait.ts";
import type { LocalAgents } from "./localAgents.ts";

export const restartMs = 500;
export const restartMsMax = 30_000;
/** One that ran so long has not ended at once. */
export const steadyMs = 60_000;
/** How often an adopted one is looked at. */
const adoptedLookMs = 1_000;
const part = "assistants";
/** The one that there is where none is configured. */
const scripted = { id: "assistant", name: "assistant", model: null } as const;

export interface AssistantsOptions {
  readonly config: Config;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Makes a key for an agent of this name. */
  readonly agentKey: (name: string) => Promise<string>;
}

/** Begins to start or adopt it. What fails is logged, and tried again. */
export function startAssistants(options: AssistantsOptions): LocalAgents {
  const { config, version, environment, log, agentKey } = options;
  const folder = assistantsFolder(config.data);
  const needsKey = config.mode !== "development";
  let running: LocalAgent | undefined;
  let launching: Promise<void> = Promise.resolve();
  let isStopping = false;
  let restartInMs = restartMs;

  const prepare = async (isRenewed: boolean): Promise<void> => {
    const own = assistantFolder(folder, scripted.id);
    if (needsKey && (isRenewed || readKey(own) === undefined)) writeKey(own, await agentKey(scripted.name));
    writeAssistants(folder, [scripted]);
  };
  const start = async (isRenewed: boolean): Promise<void> => {
    await prepare(isRenewed);
    if (isStopping) return;
    const startedAt = monotonicMs();
    const main = fileURLToPath(new URL("../main.ts", import.meta.url));
    running = await startLocalAgent({
      part,
      folder,
      program: [process.execPath, main, part, "--server", serverFile(config.data), "--state", folder],
      cwd: folder,
      environment: loginEnvironment(environment),
      version,
      key: needsKey,
      log,
      onEnd: (code) => ended(code === exitCodes.refused),
    });
    if (running.adopted) void watchAdopted();
    function ended(isRefused: boolean): void {
      running = undefined;
      if (monotonicMs() - startedAt >= steadyMs) restartInMs = restartMs;
      begin(isRefused, restartInMs);
      restartInMs = Math.min(2 * restartInMs, restartMsMax);
    }
    /** One that is not our child tells us nothing: its lock does. */
    async function watchAdopted(): Promise<void> {
      while (!isStopping && isProcessLocked(folder)) await sleep(adoptedLookMs);
      ended(false);
    }
  };
  const begin = (isRenewed: boolean, inMs: number): void => {
    void sleep(inMs).then(() => {
      if (isStopping) return;
      launching = start(isRenewed).catch((error: unknown) => {
        log.error("localAgent.failed", { part, error });
        begin(isRenewed, restartMsMax);
      });
    });
  };
  begin(false, 0);

  return {
    stop: async (msMax) => {
      isStopping = true;
      await running?.stop(msMax);
      // One that a start under way still brings.
      await launching;
      await running?.stop(msMax);
      await stopHolder({ part, folder, log }, msMax);
    },
    kill: () => {
      isStopping = true;
      running?.kill();
    },
  };
}
