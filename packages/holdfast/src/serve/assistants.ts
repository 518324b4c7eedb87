/**
 * The assistants' process as the server's start wants it: configured, started or adopted, and started again.
 *
 * Life cycle: the file says which assistants there are, as often as they change → process → ended without being asked to:
 * started again after {@link restartMs}, doubling while it goes on ending at once → stopped with the server's clean stop. What it was amid is
 * told as lost by the server (CONTROL.md "Chat"). Where several servers share a database the process runs at the one that
 * leads (`assistantsLead.ts`): it begins with the lead and is stopped when another has it. The agents are the same ones
 * wherever they run, since their keys are. Invariant: after `stop` or `kill` nothing is started any more.
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
  readHolder,
  readSecret,
  writeAssistants,
  writeSecret,
} from "../assistants/files.ts";
import { exitCodes } from "../commandLine/exitCodes.ts";
import type { Config } from "../config/fields.ts";
import { readKey, writeKey } from "../files/keyFile.ts";
import { isProcessLocked } from "../files/processLock.ts";
import { serverFile } from "../files/serverFile.ts";
import { type LocalAgent, startLocalAgent, stopHolder } from "../localAgents/localAgentShell.ts";
import { loginEnvironment } from "../localAgents/loginEnvironment.ts";
import { monotonicMs, sleep, waitingClock } from "../shell/wait.ts";
import { followLead, type Lead } from "./assistantsLead.ts";
import type { AssistantsWatch, HostedAssistant } from "./assistantsWatch.ts";
import type { LocalAgents } from "./localAgents.ts";

export const restartMs = 500;
export const restartMsMax = 30_000;
/** One that ran so long has not ended at once. */
export const steadyMs = 60_000;
/** How often an adopted one is looked at. */
const adoptedLookMs = 1_000;
/** What a process that another server has taken over from gets for its end. */
const stoodBackMsMax = 5_000;
const part = "assistants";
/** The one that there is where none is configured. */
const scripted: AssistantRecord = { id: "assistant", name: "assistant", model: null };

export interface AssistantsOptions {
  readonly config: Config;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** The key that assistants of this name have on every server of the deployment. */
  readonly agentKey: (name: string) => Promise<string>;
  /** Hears which assistants are configured, now and after each change. */
  readonly watch: (changed: (assistants: readonly HostedAssistant[]) => void) => AssistantsWatch;
}

/** Begins to start or adopt it. What fails is logged, and tried again. */
export function startAssistants(options: AssistantsOptions): LocalAgents {
  const { config, version, environment, log } = options;
  const folder = assistantsFolder(config.data);
  const isShared = config.database.url !== null;
  const needsKey = config.mode !== "development" || isShared;
  const { sealingKey } = config.assistants;
  if (sealingKey !== null) writeSecret(folder, sealingKey);
  let running: LocalAgent | undefined;
  let launching: Promise<void> = Promise.resolve();
  let isStopping = false;
  /** Which assistants there are is known. */
  let isConfigured = false;
  let leads = false;
  /** Rises when the lead changes: what was begun under another is over. */
  let term = 0;
  let restartInMs = restartMs;
  let wanted: readonly AssistantRecord[] = [scripted];
  /** Files are written by one at a time. */
  let writing: Promise<void> = Promise.resolve();

  const write = (isRenewed: boolean): Promise<void> => {
    writing = writing.catch(() => {}).then(() => writeFiles(folder, wanted, isRenewed, options));
    return writing;
  };
  const start = async (isRenewed: boolean): Promise<void> => {
    const began = term;
    await write(isRenewed);
    if (isStopping || term !== began) return;
    const startedAt = monotonicMs();
    const main = fileURLToPath(new URL("../main.ts", import.meta.url));
    const ended = (isRefused: boolean): void => {
      if (term !== began) return;
      running = undefined;
      if (monotonicMs() - startedAt >= steadyMs) restartInMs = restartMs;
      begin(isRefused, restartInMs);
      restartInMs = Math.min(2 * restartInMs, restartMsMax);
    };
    const agent = await startLocalAgent({
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
    running = agent;
    // One that is not our child tells us nothing of its end: its lock does.
    if (agent.adopted) void untilUnlocked().then(() => ended(false));
  };
  const untilUnlocked = async (): Promise<void> => {
    const began = term;
    while (!isStopping && term === began && isProcessLocked(folder)) await sleep(adoptedLookMs);
  };
  const begin = (isRenewed: boolean, inMs: number): void => {
    const began = term;
    void sleep(inMs).then(() => {
      if (isStopping || term !== began) return;
      launching = launching
        .then(() => start(isRenewed))
        .catch((error: unknown) => {
          log.error("localAgent.failed", { part, error });
          begin(isRenewed, restartMsMax);
        });
    });
  };
  const watch = options.watch((assistants) => {
    wanted = assistants.length === 0 ? [scripted] : assistants.map(recordOf);
    const isFirst = !isConfigured;
    isConfigured = true;
    if (!leads) return;
    if (isFirst) begin(false, 0);
    else write(false).catch(tellFailed);
  });
  const tellFailed = (error: unknown): void => {
    if (!isStopping) log.error("localAgent.failed", { part, error });
  };
  const takeLead = (): void => {
    watch.host(publicKeyOf(readSecret(folder, randomBytes))).catch(tellFailed);
    if (isConfigured) begin(false, 0);
  };
  /** Also one of an earlier life of this server: its agents are another process's by now. */
  const standBack = (): void => {
    const before = running;
    running = undefined;
    launching = launching
      .then(() => before?.stop(stoodBackMsMax))
      .then(() => stopHolder({ part, folder, log }, stoodBackMsMax))
      .catch(tellFailed);
  };
  const setLead = (now: boolean): void => {
    leads = now;
    term += 1;
    if (isShared) log.info("assistants.lead", { leads });
    if (isStopping) return;
    if (now) takeLead();
    else standBack();
  };
  let lead: Lead | undefined;
  if (isShared) {
    const holder = readHolder(folder, randomBytes);
    lead = followLead({ holder, clock: waitingClock, ask: (wish) => watch.lead(wish), changed: setLead });
  } else setLead(true);

  return {
    stop: async (msMax) => {
      isStopping = true;
      await running?.stop(msMax);
      // One that a start under way still brings.
      await launching;
      await running?.stop(msMax);
      await stopHolder({ part, folder, log }, msMax);
      // Only now: whoever has it next finds nobody there.
      await lead?.leave();
      void watch.close();
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
  const hasKeys = config.mode !== "development" || config.database.url !== null;
  for (const { id } of assistants) {
    const own = assistantFolder(folder, id);
    if (!hasKeys || (readKey(own) !== undefined && !isRenewed)) continue;
    // One that was refused may have been replaced already, by another server.
    writeKey(own, await agentKey(`assistant ${id}`));
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
