/**
 * `holdfast assistants`: the assistants of one server, in a process of their own. `holdfast serve` starts it.
 *
 * Life cycle: the folder's lock → the assistants that `assistants.json` in it names → changed whenever that file is
 * written anew → SIGTERM. It outlives the server's death, like the other local agents, and is adopted by the next start.
 * Standard error is its log. It deliberately ends when an assistant's key is refused: whoever started it has new ones.
 */
import { randomBytes } from "node:crypto";
import { isAbsolute, resolve } from "node:path";
import { keyContext, openKey } from "@holdfast/control/sealedKey";
import { assistantsFile, assistantsFlags, readAssistants, readSecret } from "../assistants/files.ts";
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import { readFlags } from "../commandLine/flags.ts";
import { logWarnings, makeLog } from "../commandLine/logOutput.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { logSettings } from "../config/resolve.ts";
import { lockProcess } from "../files/processLock.ts";
import { readServerRecord } from "../files/serverFile.ts";
import { onStopSignals } from "../shell/signals.ts";
import { watchFile, watchText } from "../shell/watchFile.ts";
import { version } from "../version.ts";

/** Runs until a signal. */
export async function assistants(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { environment, directory, errors } = surroundings;
  const refuse = (sentence: string): ExitCode => {
    errors.write(`${sentence}\n`);
    return exitCodes.wrongUse;
  };
  const flags = readFlags(argv, assistantsFlags);
  if (flags.kind === "problem") return refuse(flags.sentence);
  const [server, state] = [flags.values.get("server"), flags.values.get("state")];
  if (server === undefined || state === undefined)
    return refuse("holdfast assistants needs --server <server.json> and --state <folder>; holdfast serve starts it.");
  const logged = logSettings(environment);
  if ("problem" in logged) return refuse(logged.problem);
  const log = makeLog(logged.settings, surroundings);
  logWarnings(log);

  const folder = isAbsolute(state) ? state : resolve(directory, state);
  const first = readAssistants(folder);
  const hasKey = first.assistants.some(({ key }) => key !== undefined);
  const lock = lockProcess(folder, { pid: process.pid, version, key: hasKey });
  if (lock === null) return refuse(`The assistants of "${folder}" already run.`);
  // Loaded only now: a refusal needs no agent.
  const { runAssistants } = await import("@holdfast/agent/assistants");
  const secret = readSecret(folder, randomBytes);
  return new Promise((done) => {
    let last = "http://127.0.0.1:0";
    const running = runAssistants({
      log,
      ...(first.limits === undefined ? {} : { limits: first.limits }),
      openKey: (assistant, endpoint, sealedKey) => openKey(sealedKey, secret, keyContext(assistant, endpoint)),
      server: () => {
        last = readServerRecord(server)?.url ?? last;
        return last;
      },
      ended: (assistant, end) => {
        log.warn("assistant.ended", { assistant, ...end });
        if (end.reason === "refused") finish(exitCodes.refused);
      },
    });
    const unwatch = [
      watchFile(server, () => running.serverReturned()),
      watchText(assistantsFile(folder), first.text, () => void running.configure(readAssistants(folder).assistants)),
    ];
    const forget = onStopSignals({
      stop: () => finish(exitCodes.done),
      abort: () => process.exit(exitCodes.interruptedTwice),
    });
    let ending = false;
    const finish = (code: ExitCode): void => {
      if (ending) return;
      ending = true;
      for (const stop of unwatch) stop();
      void running.stop().then(() => {
        forget();
        lock.release();
        done(code);
      });
    };
    void running.configure(first.assistants);
  });
}
