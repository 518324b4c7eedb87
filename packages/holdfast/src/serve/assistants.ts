/**
 * The assistants' process as the server's start wants it: configured, started or adopted, and started again.
 *
 * Life cycle: the file says which assistants there are, as often as they change → process → ended without being asked to:
 * started again after {@link restartMs}, doubling while it goes on ending at once → stopped with the server's clean stop. What it was amid is
 * told as lost by the server (CONTROL.md "Chat"). Invariant: after `stop` or `kill` nothing is started any more.
 */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { AnswerLimits } from "@holdfast/agent/assistants";
import { publicKeyOf } from "@holdfast/control/sealedKey";
import type { Log } from "@holdfast/server/log";
import {
  type AssistantRecord,
  assistantFolder,
  assistantsFolder,
  readSecret,
  writeAssistants,
} from "../assistants/files.ts";
import { exitCodes } from "../commandLine/exitCodes.ts";
import type { Config } from "../config/fields.ts";
import { readKey, writeKey } from "../files/keyFile.ts";
import { isProcessLocked } from "../files/processLock.ts";
import { serverFile } from "../files/serverFile.ts";
import { type LocalAgent, startLocalAgent, stopHolder } from "../localAgents/localAgentShell.ts";
import { loginEnvironment } from "../localAgents/loginEnvironment.ts";
import { monotonicMs, sleep } from "../shell/wait.ts";
import type { AssistantsWatch, HostedAssistant } from "./assistantsWatch.ts";
import type { LocalAgents } from "./localAgents.ts";

export const restartMs = 500;
export const restartMsMax = 30_000;
/** One that ran so long has not ended at once. */
export const steadyMs = 60_000;
/** How often an adopted one is looked at. */
const adoptedLookMs = 1_000;
const part = "assistants";
/** The one that there is where none is configured. */
const scripted: AssistantRecord = { id: "assistant", name: "assistant", model: null };

export interface AssistantsOptions {
  readonly config: Config;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Makes a key for an agent of this name. */
  readonly agentKey: (name: string) => Promise<string>;
  /** Hears which assistants are configured, now and after each change. */
  readonly watch: (changed: (assistants: readonly HostedAssistant[]) => void) => AssistantsWatch;
}

/** Begins to start or adopt it. What fails is logged, and tried again. */
export function startAssistants(options: AssistantsOptions): LocalAgents {
  const { config, version, environment, log } = options;
  const folder = assistantsFolder(config.data);
  const needsKey = config.mode !== "development";
  let running: LocalAgent | undefined;
  let launching: Promise<void> = Promise.resolve();
  let isStopping = false;
  let hasBegun = false;
  let restartInMs = restartMs;
  let wanted: readonly AssistantRecord[] = [scripted];
  /** Files are written by one at a time. */
  let writing: Promise<void> = Promise.resolve();

  const write = (isRenewed: boolean): Promise<void> => {
    writing = writing.catch(() => {}).then(() => writeFiles(folder, wanted, isRenewed, options));
    return writing;
  };
  const start = async (isRenewed: boolean): Promise<void> => {
    await write(isRenewed);
    if (isStopping) return;
    const startedAt = monotonicMs();
    const main = fileURLToPath(new URL("../main.ts", import.meta.url));
    const ended = (isRefused: boolean): void => {
      running = undefined;
      if (monotonicMs() - startedAt >= steadyMs) restartInMs = restartMs;
      begin(isRefused, restartInMs);
      restartInMs = Math.min(2 * restartInMs, restartMsMax);
    };
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
    // One that is not our child tells us nothing of its end: its lock does.
    if (running.adopted) void untilUnlocked().then(() => ended(false));
  };
  const untilUnlocked = async (): Promise<void> => {
    while (!isStopping && isProcessLocked(folder)) await sleep(adoptedLookMs);
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
  const watch = options.watch((assistants) => {
    wanted = assistants.length === 0 ? [scripted] : assistants.map(recordOf);
    if (!hasBegun) begin(false, 0);
    else write(false).catch((error: unknown) => log.error("localAgent.failed", { part, error }));
    hasBegun = true;
  });
  watch.host(publicKeyOf(readSecret(folder, randomBytes))).catch((error: unknown) => {
    if (!isStopping) log.error("localAgent.failed", { part, error });
  });

  return {
    stop: async (msMax) => {
      isStopping = true;
      void watch.close();
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

/** Keys first: whoever reads the list finds them. */
async function writeFiles(
  folder: string,
  assistants: readonly AssistantRecord[],
  isRenewed: boolean,
  { config, agentKey }: AssistantsOptions,
): Promise<void> {
  for (const { id, name } of assistants) {
    const own = assistantFolder(folder, id);
    const needsKey = config.mode !== "development" && (isRenewed || readKey(own) === undefined);
    if (needsKey) writeKey(own, await agentKey(name));
  }
  writeAssistants(folder, { limits: limitsOf(config), assistants });
}

function recordOf({ id, name, endpoint, model, systemPrompt, sealedKey }: HostedAssistant): AssistantRecord {
  return { id, name, model: { endpoint, model, systemPrompt, sealedKey } };
}

function limitsOf({ assistants }: Config): AnswerLimits {
  return {
    firstTokenMsMax: assistants.firstTokenSeconds * 1_000,
    betweenTokensMsMax: assistants.betweenTokensSeconds * 1_000,
    answerMsMax: assistants.answerSeconds * 1_000,
  };
}
