/**
 * A live server for anyone's app: wires the rooms, listens, and closes with grace.
 *
 * Life cycle: open the store → load the app → sign-in → gateway → listen; close is the reverse (CL-9). A
 * start that fails gives everything back and throws a `StartError` with one sentence. Nothing here decides
 * anything: each rule lives in its room.
 */
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { limits } from "@holdfast/protocol";
import type { FastifyInstance } from "fastify";
import { createAppSignIn } from "./auth/appSignIn.ts";
import { hostOriginSettings } from "./auth/hostOrigin.ts";
import { type Auth, createAuth } from "./auth/service.ts";
import type { GatewayContext } from "./gateway/context.ts";
import { encodeTextFrame } from "./gateway/frame.ts";
import { createGateway } from "./gateway/gateway.ts";
import { createOccupants } from "./gateway/occupants.ts";
import { createOpenings } from "./gateway/openings.ts";
import { createSignalBoard } from "./gateway/signals.ts";
import { createUpgrade } from "./gateway/upgrade.ts";
import { createHttp } from "./http/app.ts";
import { type Server, type ServerOptions, StartError } from "./options.ts";
import type { Plugin, PluginRuntime } from "./plugin.ts";
import { type Settings, settingsOf } from "./settings.ts";
import type { Store } from "./store/port.ts";
import { startRetention } from "./store/retention.ts";
import { shareReads } from "./store/sharedReads.ts";
import { openSqliteStore } from "./store/sqlite/store.ts";
import { type Committer, createCommitter } from "./streams/committer.ts";
import { createHub, type Hub } from "./streams/hub.ts";

/** A burst of reconnects is bounded by the listen backlog (7,845 overflows with Node's default of 511). */
const listenBacklog = 16_384;
const drainMsMax = 5_000;
const workspace = "default";
const heartbeat = { interval: limits.heartbeatIntervalMs, timeout: limits.heartbeatTimeoutMs };

/** Starts a server. Throws `StartError` where it cannot, with nothing left behind. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const settings = settingsOf(options);
  limits.assertHeartbeat(heartbeat, limits.heartbeatIntervalMs + limits.heartbeatTimeoutMs);
  const { log, data } = settings;
  const app = await loadApp(settings.app);
  const opened = await openSqliteStore({
    folder: data,
    plugins: [new URL("./auth/plugin.ts", import.meta.url), settings.app],
    onFailure: (error) => log.error("store.failed", { store: "sqlite", folder: data, error }),
  });
  const store: Store = { ...opened, ...shareReads(opened) };
  try {
    return await start(settings, app, store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function start(settings: Settings, app: Plugin, store: Store): Promise<Server> {
  const { log, mode, clock, random, authenticate, origins, page, pagePaths } = settings;
  const hub = createHub({ store, clock, log, encode: encodeTextFrame });
  const committer = createCommitter({ store, clock, log, deliver: (appended) => hub.deliver(appended) });
  const run = (task: string, input: unknown, place = workspace): Promise<unknown> =>
    committer.run({ kind: "task", workspace: place, task, input });
  const own = await createAuth({ run, mode, clock, random, log });
  const auth = authenticate === undefined ? own : createAppSignIn(own, authenticate, log);
  const runtimes = app.start === undefined ? [] : [app.start({ clock, log, run })];
  const context = contextOf({ settings, app, auth, store, committer, hub, runtimes });
  const gateway = createGateway(context);

  let { port } = settings;
  const checked = hostOriginSettings({ port, origins, pagePaths });
  const hostOrigin = () => ({ ...checked, port });
  const http = createHttp({
    settings: hostOrigin,
    auth,
    methods: app.methods,
    context,
    mode,
    version: settings.version,
    log,
    clock,
    random,
    health: () => ({ store: "sqlite" }),
    pagePaths,
    ...(page === undefined ? {} : { page }),
  });
  const upgrade = createUpgrade(gateway, hostOrigin);
  http.server.on("upgrade", upgrade.handle);
  const retention = startRetention(committer, clock, log);
  for (const runtime of runtimes) await runtime.started();
  port = await listen(http, settings);

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    upgrade.stop();
    await gateway.drain(drainMsMax);
    await committer.idle();
    for (const runtime of runtimes) runtime.stopped();
    retention.stop();
    context.openings.stop();
    hub.stop();
    await http.close();
    await store.close();
  };
  return {
    url: `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${port}`,
    signInCode: () => auth.signInCode(),
    agentKey: (name) => auth.agentKey(name),
    operatorKey: () => auth.operatorKey(),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** The main thread's copy of the app; the store's workers import their own. */
async function loadApp(app: URL): Promise<Plugin> {
  const { plugin } = (await import(app.href)) as { plugin?: Plugin };
  if (typeof plugin?.name !== "string" || plugin.methods === undefined || plugin.streams === undefined)
    throw new StartError(
      `${app.href} exports no plugin: write \`export const plugin = definePlugin<Tables>()({ … })\`.`,
    );
  return plugin;
}

function contextOf(rooms: {
  settings: Settings;
  app: Plugin;
  auth: Auth;
  store: Store;
  committer: Committer;
  hub: Hub;
  runtimes: readonly PluginRuntime[];
}): GatewayContext {
  const { settings, app, auth, store, committer, hub, runtimes } = rooms;
  const { log, mode, clock, random } = settings;
  const methods = new Map(Object.entries(app.methods));
  const whole = new Map(app.streams.filter(({ name }) => !name.endsWith("/")).map((family) => [family.name, family]));
  const prefixed = app.streams.filter(({ name }) => name.endsWith("/"));
  return {
    clock,
    random,
    log,
    mode,
    node: randomUUID(),
    heartbeat,
    limits: settings.limits,
    authenticator: auth,
    store,
    committer,
    hub,
    openings: createOpenings(clock, log),
    signals: createSignalBoard(),
    occupants: createOccupants(settings.limits.connectionsPerPrincipal),
    method: (name) => methods.get(name),
    family: (stream) => whole.get(stream) ?? prefixed.find(({ name }) => stream.startsWith(name)),
    runtimes,
  };
}

async function listen(http: FastifyInstance, { host, port }: Settings): Promise<number> {
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
