/**
 * A running Holdfast: server, page and local agents, from start to stop.
 *
 * Life cycle: listen → tell the data folder (`server.json`, `operator.key`) → local agents → `ready` → signal →
 * agents stop while the server still takes what they publish → server closes → `server.json` goes. Invariants:
 * standard output gets `ready` once and at most one sign-in line; a stop ends within `stopMsMax`, with exit 0
 * if all of it ended; a crash leaves everything as SIGKILL would, for the next start to find.
 */
import type { Server, ServerOptions } from "@holdfast/server";
import type { Log } from "@holdfast/server/log";
import { type ExitCode, exitCodes } from "../commandLine/exitCodes.ts";
import type { TextStream } from "../commandLine/surroundings.ts";
import { type Config, linksSignIn } from "../config/fields.ts";
import { identityOptions } from "../config/identityFields.ts";
import { writePrivateFile } from "../files/privateFile.ts";
import { operatorKeyFile, removeServerRecord, writeServerRecord } from "../files/serverFile.ts";
import { onStopSignals } from "../shell/signals.ts";
import { within } from "../shell/wait.ts";
import type { FleetWatch } from "./fleetWatch.ts";
import { type LocalAgents, type LocalPart, localParts } from "./localAgents.ts";
import { openRestarting, type RestartingServer } from "./restarting.ts";

/** `ready` waits this long for the local agents. */
export const localAgentWaitMsMax = 2_000;
/** CL-9: the whole of a stop. */
export const stopMsMax = 9_500;
/** Of it, what the local agents get to end politely what they run. */
export const agentsStopMsMax = 8_000;

const dayMs = 86_400_000;
const gigabyte = 1_000_000_000;

/** The dashboard's own addresses. */
const pagePaths = [
  "/",
  "/agents",
  "/agents/*",
  "/threads",
  "/threads/*",
  "/assistants",
  "/audit",
  "/connections",
  "/people",
  "/weather",
];

export interface ServeParts {
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  readonly output: TextStream;
  readonly app: URL;
  /** Folder of the built page. */
  readonly page: string | undefined;
  /** `HOLDFAST_…` variables that no setting reads. */
  readonly unknownEnvironment: readonly string[];
  readonly onReady: () => void;
  readonly createServer: (options: ServerOptions) => Promise<Server>;
  readonly startAgents: (parts: readonly LocalPart[], agentKey: (name: string) => Promise<string>) => LocalAgents;
  /** Only where they are switched on. Nothing waits for them. */
  readonly startAssistants: (server: {
    readonly url: string;
    /** The operator's. */
    readonly key: string;
    readonly agentKey: (name: string) => Promise<string>;
  }) => LocalAgents;
  readonly watchFleet: (url: string, key: string, parts: readonly LocalPart[]) => FleetWatch;
}

interface Running {
  server: RestartingServer | undefined;
  agents: LocalAgents | undefined;
  assistants: LocalAgents | undefined;
}

/** Runs until a signal. Rejects with the server's `StartError` where it cannot start. */
export async function serveUntilSignal(parts: ServeParts): Promise<ExitCode> {
  const running: Running = { server: undefined, agents: undefined, assistants: undefined };
  const { signalled, forget } = signals(parts.log, running);
  try {
    await start(parts, running, signalled);
    await Promise.race([signalled, running.server?.failed]);
    return await stop(parts, running);
  } finally {
    forget();
  }
}

function signals(log: Log, running: Running): { signalled: Promise<void>; forget: () => void } {
  let forget = (): void => {};
  const signalled = new Promise<void>((done) => {
    forget = onStopSignals({
      stop: (signal) => {
        log.info("server.stopping", { signal });
        done();
      },
      abort: () => {
        log.warn("server.aborted", { reason: "second SIGINT" });
        running.agents?.kill();
        running.assistants?.kill();
        process.exit(exitCodes.interruptedTwice);
      },
    });
  });
  return { signalled, forget };
}

async function start(parts: ServeParts, running: Running, signalled: Promise<void>): Promise<void> {
  const { config, version, log, output } = parts;
  log.info("server.starting", {
    mode: config.mode,
    store: storeKind(config),
    version,
    data: config.data,
    pid: process.pid,
  });
  if (parts.unknownEnvironment.length > 0) log.warn("config.environmentUnknown", { names: parts.unknownEnvironment });
  const options: ServerOptions = {
    app: parts.app,
    mode: config.mode,
    host: config.host,
    port: config.port,
    ...reachOptions(config),
    ...databaseOptions(config),
    retention: lifetimes(config.retention),
    data: config.data,
    signInLinks: linksSignIn(config),
    sessionLifeMs: config.signIn.lifeSeconds * 1_000,
    signingKeyLifeMs: config.signIn.keyDays * dayMs,
    ...identityOptions(config),
    admission: config.admission,
    dashboardMetrics: config.metrics.dashboardNames,
    telemetry: true,
    ...(config.flags.file === null ? {} : { flags: { file: config.flags.file } }),
    ...(config.alerts.webhook === null ? {} : { alertWebhook: config.alerts.webhook }),
    origins: config.origins,
    ...(parts.page === undefined ? {} : { page: parts.page, pagePaths }),
    version,
    log,
  };
  const restarting = await openRestarting(parts.createServer, options, log);
  running.server = restarting;
  const server = restarting.now;
  const key = await server.operatorKey();
  writePrivateFile(operatorKeyFile(config.data), `${key}\n`);
  writeServerRecord(config.data, { url: server.localUrl, publicUrl: server.url, pid: process.pid, version });
  if (config.agents.assistants) {
    const agentKey = (name: string) => restarting.now.sharedAgentKey(name);
    running.assistants = parts.startAssistants({ url: server.localUrl, key, agentKey });
  }
  const first = await Promise.race([
    agentsOnline(parts, running, restarting, key),
    signalled.then(() => "signalled" as const),
  ]);
  if (first === "signalled") return;
  output.write(`ready ${server.url}\n`);
  parts.onReady();
  if (linksSignIn(config) && (config.printSignIn || output.isTTY === true))
    output.write(`sign-in ${server.url}/#${await server.signInCode()}\n`);
}

function lifetimes(kept: Config["retention"]): NonNullable<ServerOptions["retention"]> {
  return {
    workMs: kept.workDays * dayMs,
    workBytesMax: kept.workGigabytes * gigabyte,
    recordsMs: kept.recordDays * dayMs,
    auditMs: kept.auditDays * dayMs,
  };
}

function storeKind({ database }: Config): "sqlite" | "postgres" {
  return database.url === null ? "sqlite" : "postgres";
}

function databaseOptions({ database: { url, busUrl } }: Config): Partial<ServerOptions> {
  return url === null ? {} : { store: { url, ...(busUrl === null ? {} : { busUrl }) } };
}

function reachOptions({ publicUrl, tls, trustProxies }: Config): Partial<ServerOptions> {
  return {
    ...(publicUrl === null ? {} : { publicUrl }),
    ...(tls.cert === null || tls.key === null ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    trustProxies,
  };
}

async function agentsOnline(
  parts: ServeParts,
  running: Running,
  restarting: RestartingServer,
  key: string,
): Promise<"online" | "late"> {
  const wanted = localParts(parts.config.agents);
  if (wanted.length === 0) return "online";
  running.agents = parts.startAgents(wanted, (name) => restarting.now.agentKey(name));
  const watch = parts.watchFleet(restarting.now.localUrl, key, wanted);
  const seen = await within(
    watch.allOnline.then(() => "online" as const),
    localAgentWaitMsMax,
    "late" as const,
  );
  if (seen === "late") parts.log.warn("localAgents.late", { waitedMs: localAgentWaitMsMax });
  // Its end is not worth waiting for.
  void watch.close();
  return seen;
}

async function stop({ config, log }: ServeParts, { server, agents, assistants }: Running): Promise<ExitCode> {
  const stopped = (async () => {
    await Promise.all([agents?.stop(agentsStopMsMax), assistants?.stop(agentsStopMsMax)]);
    await server?.close();
    removeServerRecord(config.data, process.pid);
    return "stopped" as const;
  })();
  if ((await within(stopped, stopMsMax, "late" as const)) === "late") {
    log.error("server.stopLate", { afterMs: stopMsMax });
    agents?.kill();
    assistants?.kill();
    return exitCodes.failed;
  }
  log.info("server.stopped");
  return exitCodes.done;
}
