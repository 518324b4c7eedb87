/**
 * What serves an app over its open store: wires the rooms, listens, and closes with grace.
 *
 * Life cycle: sign-in → gateway → listen; close is the reverse (CL-9), and closes the store too. A start that fails
 * stops what it began and leaves the store to whoever opened it. Nothing here decides anything: each rule lives in
 * its room.
 */
import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { Server as TlsServer } from "node:tls";
import type { FastifyInstance } from "fastify";
import { createAppSignIn } from "./auth/appSignIn.ts";
import { hostOriginSettings } from "./auth/hostOrigin.ts";
import { fetchProvider } from "./auth/issuers/fetchProvider.ts";
import { createIssuedTokens } from "./auth/issuers/issuedTokens.ts";
import { type CodeFlow, createCodeFlow } from "./auth/oidc/codeFlow.ts";
import { callbackPath } from "./auth/oidc/settings.ts";
import { peopleMethods } from "./auth/people/plugin.ts";
import { type Auth, createAuth } from "./auth/service.ts";
import { createSupabaseProject } from "./auth/supabase/project.ts";
import { createProjectSignIn, type ProjectSignIn, supabaseId } from "./auth/supabase/projectSignIn.ts";
import { createFaults, type Faults } from "./faults/faults.ts";
import type { FeatureFlags } from "./flags/features.ts";
import { createUpgrade } from "./gateway/upgrade.ts";
import { createHttp } from "./http/app.ts";
import type { Readiness } from "./http/healthRoutes.ts";
import { signInLinksOff } from "./http/sessionRoutes.ts";
import { createNode } from "./node.ts";
import { observers } from "./observe/observer.ts";
import { plugin as operations, operationsMethods } from "./observe/operationsPlugin.ts";
import { telemetryWanted } from "./observe/telemetry/environment.ts";
import type { Telemetry } from "./observe/telemetry/telemetryShell.ts";
import { createWatch, type Watch } from "./observe/watch.ts";
import { type Server, StartError } from "./options.ts";
import type { Plugin } from "./plugin.ts";
import type { Reach } from "./reach.ts";
import type { Settings } from "./settings.ts";
import type { OpenedStore, StoreKind } from "./store/open.ts";
import { type TlsFiles, watchTlsFiles } from "./tlsFiles.ts";

/** A burst of reconnects is bounded by the listen backlog (7,845 overflows with Node's default of 511). */
const listenBacklog = 16_384;
/** CL-9: HTTP requests that were accepted may take this long when the server closes. */
const httpEndMsMax = 2_000;
const placeCharsMax = 16;

export interface ServerParts {
  readonly settings: Settings;
  readonly app: Plugin;
  readonly opened: OpenedStore;
  readonly flags: FeatureFlags | undefined;
}

/** Throws `StartError`. */
export async function startServer({ settings, app, opened, flags }: ServerParts): Promise<Server> {
  const { log, data, mode, clock, random, authenticate, origins, page, pagePaths, reach } = settings;
  const watch = createWatch(settings);
  const telemetry = await telemetryOf(settings, opened.kind, watch);
  const observer = telemetry === undefined ? watch.observer : observers(watch.observer, telemetry.observer);
  const faults = faultsOf(settings, opened);
  const node = await createNode({
    app,
    observer,
    ...(flags && { flags }),
    keepsRecords: true,
    loopDelayMs: watch.loopDelayMs,
    store: faults?.store ?? opened.store,
    place: opened.place,
    ...(opened.bus === undefined ? {} : { bus: faults?.bus ?? opened.bus }),
    ...(faults && { faults }),
    clock,
    random,
    log,
    mode,
    limits: settings.limits,
    admission: settings.admission,
    lifetimes: settings.lifetimes,
    moreMethods: {
      ...(authenticate === undefined ? peopleMethods(settings) : {}),
      ...operationsMethods({ levels: log.levels !== undefined, faults: faults?.offered ?? [] }),
    },
    moreStreams: operations.streams,
    authenticator: async (run, folded) => {
      const { issuers, sessionLifeMs, signingKeyLifeMs } = settings;
      const issued = createIssuedTokens({ issuers, ask: fetchProvider, clock, log: folded });
      const own = await createAuth({ run, mode, clock, random, log: folded, sessionLifeMs, signingKeyLifeMs, issued });
      return authenticate === undefined ? own : createAppSignIn(own, authenticate, folded);
    },
  });
  const { authenticator: auth, context } = node;
  /** For all that people cause: its volume follows distinct problems, not requests (I9). */
  const folded = { ...settings, log: context.log };

  watch.follow(node);
  let readiness: Readiness = "starting";

  let { port } = settings;
  const { publicUrl, tls, isProxy } = reach;
  const flows = codeFlows(folded);
  const ids = [...settings.providers.keys(), ...(settings.supabase === undefined ? [] : [supabaseId])];
  const callbackPaths = ids.map(callbackPath);
  const checked = hostOriginSettings({
    port,
    publicUrl,
    encrypted: tls !== undefined,
    origins,
    pagePaths,
    callbackPaths,
  });
  const hostOrigin = () => ({ ...checked, port });
  const http = createHttp({
    settings: hostOrigin,
    isProxy,
    tls: tls?.pair,
    flows,
    project: projectOf(folded, auth),
    signInLinks: settings.signInLinks,
    openingsPerSecond: settings.admission.openingsPerSecond,
    faults: faults?.offered ?? [],
    auth,
    methods: node.methods,
    disturb: node.gateway.disturb,
    context,
    features: context.features,
    feeds: { feeds: app.feeds ?? [], hub: context.hub, store: context.store, family: (name) => context.family(name) },
    mode,
    version: settings.version,
    log: folded.log,
    clock,
    random,
    metrics: watch,
    readiness: () => readiness,
    health: () => ({ store: opened.kind, ...(context.health.degraded && { degraded: context.health.degraded }) }),
    pagePaths,
    ...(page === undefined ? {} : { page }),
  });
  const upgrade = createUpgrade(node.gateway, hostOrigin, isProxy, observer);
  http.server.on("upgrade", upgrade.handle);
  try {
    await node.start();
    port = await listen(http, settings);
  } catch (error) {
    watch.stop();
    await node.stop();
    throw error;
  }
  readiness = "ready";
  const stopRenewing = tls === undefined ? undefined : renewing(http, tls, settings);
  const urls = urlsOf(reach, port);
  watch.callOut(node, urls.url);

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    readiness = "draining";
    stopRenewing?.();
    upgrade.stop();
    await node.stop();
    // Once it closes, Node judges no silence any more: a socket that asked nothing would hold the stop for ever (CL-9).
    const late = clock.after(httpEndMsMax, () => http.server.closeAllConnections());
    await http.close();
    clock.cancel(late);
    watch.stop();
    flags?.stop();
    await telemetry?.stop();
    await opened.close();
  };
  return {
    ...urls,
    port,
    signInCode: () => (settings.signInLinks ? auth.signInCode() : Promise.reject(new Error(signInLinksOff))),
    agentKey: (name) => auth.agentKey(name),
    sharedAgentKey: (name) => auth.sharedAgentKey(name),
    operatorKey: () => auth.operatorKey(placeOf(data)),
    retention: () => node.retention.figures,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** A certificate that was renewed is every new connection's; nobody starts again for it. */
function renewing(http: FastifyInstance, files: TlsFiles, { clock, log }: Settings): () => void {
  const take = (pair: TlsFiles["pair"]): void => {
    if (http.server instanceof TlsServer) http.server.setSecureContext(pair);
  };
  return watchTlsFiles({ files, take, clock, log });
}

/** Of several servers on one PostgreSQL each has its own; short, since a path may be longer than a name. */
function placeOf(data: string): string {
  return createHash("sha256").update(`${hostname()}\0${data}`).digest("hex").slice(0, placeCharsMax);
}

/** Loaded only where the environment asks for it. */
async function telemetryOf(
  { telemetry, version, clock, log }: Settings,
  store: StoreKind,
  { registry }: Pick<Watch, "registry">,
): Promise<Telemetry | undefined> {
  const wanted = telemetry ? telemetryWanted(process.env) : undefined;
  if (wanted === undefined || !(wanted.spans || wanted.metrics)) return undefined;
  const { openTelemetry } = await import("./observe/telemetry/telemetryShell.ts").catch((error: unknown) => {
    throw new StartError(
      "telemetry is true and OTEL_… asks for it, but OpenTelemetry's packages are missing: install the @opentelemetry packages that package.json of @holdfast/server names as peers.",
      { cause: error },
    );
  });
  const system = store === "postgres" ? "postgresql" : store;
  return openTelemetry({ wanted, version, store: system, metrics: registry, clock, log });
}

/** Whoever reaches a server in development mode is an admin of it: nobody else is to see it break. */
function faultsOf({ mode, clock, log, restart }: Settings, { store, bus }: OpenedStore): Faults | undefined {
  return mode === "development" ? createFaults({ store, bus, clock, log, restart }) : undefined;
}

function codeFlows({ providers, clock, random, log }: Settings): readonly CodeFlow[] {
  return [...providers.values()].map((one) => createCodeFlow(one, { ask: fetchProvider, clock, random, log }));
}

function projectOf({ supabase, clock, random, log }: Settings, auth: Auth): ProjectSignIn | undefined {
  if (supabase === undefined) return undefined;
  const project = createSupabaseProject(supabase, { ask: fetchProvider, clock, log });
  return createProjectSignIn(project, { auth, clock, random });
}

/** A certificate is for the public name, so programs of this machine go by that too where we end TLS. */
function urlsOf({ host, publicUrl, tls }: Reach, port: number): Pick<Server, "url" | "localUrl"> {
  const address = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const own = `${tls === undefined ? "http" : "https"}://${address.includes(":") ? `[${address}]` : address}:${port}`;
  return { url: publicUrl ?? own, localUrl: tls === undefined ? own : (publicUrl ?? own) };
}

async function listen(http: FastifyInstance, { reach: { host }, port }: Settings): Promise<number> {
  try {
    await http.listen({ host, port, backlog: listenBacklog });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "EADDRINUSE") {
      throw new StartError(
        `Port ${port} of ${host} is in use by another program; stop that one, or choose another with --port.`,
        { cause: error },
      );
    }
    if (code === "EACCES" || code === "EADDRNOTAVAIL") {
      throw new StartError(`${host}:${port} cannot be listened on (${code}); choose another with --host and --port.`, {
        cause: error,
      });
    }
    throw error;
  }
  return (http.server.address() as AddressInfo).port;
}
