/** `holdfast serve`: reads the configuration, composes the server with page and local agents, runs it. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Log } from "@holdfast/server/log";
import { keepCompileCache } from "../commandLine/compileCache.ts";
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import { quoted } from "../commandLine/flags.ts";
import { type HeldText, holdText } from "../commandLine/heldText.ts";
import { logWarnings, makeLog } from "../commandLine/logOutput.ts";
import type { Surroundings } from "../commandLine/surroundings.ts";
import { printConfig } from "../config/print.ts";
import { resolveConfig } from "../config/resolve.ts";
import { makeFolder } from "../files/makeFolder.ts";
import { readTextFile } from "../files/privateFile.ts";
import { startAssistants } from "../serve/assistants.ts";
import { watchAssistants } from "../serve/assistantsWatch.ts";
import { startLocalAgents } from "../serve/localAgents.ts";
import { serveUntilSignal } from "../serve/serveShell.ts";
import { within } from "../shell/wait.ts";
import { version } from "../version.ts";

/** A start that takes longer is watched by somebody who wants to know what it waits for: what is held is written. */
const heldMsMax = 10_000;

/** Runs until a signal; every refusal is one sentence on standard error. */
export async function serve(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { environment, directory, output, errors } = surroundings;
  const resolved = resolveConfig({ argv, environment, directory, readFile: readTextFile });
  if ("problem" in resolved) {
    errors.write(`${resolved.problem}\n`);
    return exitCodes.wrongUse;
  }
  const { config, sources } = resolved;
  if (resolved.printConfig) {
    output.write(printConfig(config, sources));
    return exitCodes.done;
  }
  const unusable = folderProblem(config.data);
  if (unusable !== undefined) {
    errors.write(`${unusable}\n`);
    return exitCodes.wrongUse;
  }
  // Loaded only now: a refusal needs no server.
  const { createServer, StartError } = await import("@holdfast/server");
  const { watchFleet } = await import("../serve/fleetWatch.ts");
  const held = holdText(errors);
  const log = makeLog(config.log, { ...surroundings, errors: held });
  logWarnings(log);
  endOnFault(log, held);
  try {
    return await serveUntilSignal({
      config,
      version,
      log,
      output,
      app: new URL(import.meta.resolve("@holdfast/control/plugin")),
      page: builtPage(),
      unknownEnvironment: resolved.unknownEnvironment,
      onReady: keepCompileCache,
      createServer: async (options) => {
        const created = createServer(options);
        if ((await within(created, heldMsMax, "late" as const)) === "late") held.release();
        const server = await created;
        held.release();
        return server;
      },
      startAgents: (parts, agentKey) =>
        startLocalAgents(parts, { config, version, environment, directory, log, agentKey }),
      startAssistants: (server) =>
        startAssistants({
          config,
          version,
          environment,
          log,
          agentKey: server.agentKey,
          watch: (changed) => watchAssistants(server.url, server.key, version, changed),
        }),
      watchFleet: (url, key, parts) => watchFleet(url, key, version, parts),
    });
  } catch (error) {
    if (!(error instanceof StartError)) {
      held.release();
      throw error;
    }
    errors.write(`${error.message}\n`);
    return exitCodes.wrongUse;
  }
}

/** Whether the folder can be there at all; whether it can be written and locked is the store's to say. */
function folderProblem(data: string): string | undefined {
  try {
    makeFolder(data);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `The data folder ${quoted(data)} cannot be made (${reason}); choose another with --data.`;
  }
}

/** What nobody caught ends the process at once, as a SIGKILL would: the next start finds all that was committed. */
function endOnFault(log: Log, held: HeldText): void {
  process.on("uncaughtException", (error) => {
    held.release();
    log.error("process.failed", { error });
    process.exit(exitCodes.failed);
  });
}

function builtPage(): string | undefined {
  const folder = join(dirname(fileURLToPath(import.meta.resolve("@holdfast/dashboard/package.json"))), "dist");
  return existsSync(join(folder, "index.html")) ? folder : undefined;
}
