/**
 * A live server for anyone's app: settings, store, app, then what serves them.
 *
 * Life cycle: judge the settings → open the store, and meanwhile load the app and everything that serves it
 * (`startServer.ts`), since both take the better part of a start → start. A start that fails gives everything back and
 * throws a `StartError` with one sentence.
 */
import { uuidv7 } from "@holdfast/protocol";
import type { FeatureFlags } from "./flags/features.ts";
import { type Server, type ServerOptions, StartError } from "./options.ts";
import type { Plugin } from "./plugin.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { type OpenedStore, openStore } from "./store/open.ts";

/** Starts a server. Throws `StartError` where it cannot, with nothing left behind. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const settings = settingsOf(options);
  const [app, store, serving] = await Promise.allSettled([
    loadApp(settings.app),
    openStoreOf(settings),
    import("./startServer.ts"),
  ]);
  let flags: FeatureFlags | undefined;
  try {
    const parts = { app: resultOf(app), opened: resultOf(store) };
    flags = await flagsOf(settings);
    return await resultOf(serving).startServer({ ...parts, settings, flags });
  } catch (error) {
    flags?.stop();
    if (store.status === "fulfilled") await store.value.close();

    throw error;
  }
}

function openStoreOf({ data, store, authenticate, app, clock, random, log }: Settings): Promise<OpenedStore> {
  return openStore({
    data,
    database: store,
    plugins: [
      new URL("./auth/plugin.ts", import.meta.url),
      // Where the app signs people in, they are the app's to manage.
      ...(authenticate === undefined ? [new URL("./auth/people/plugin.ts", import.meta.url)] : []),
      new URL("./observe/recordsPlugin.ts", import.meta.url),
      new URL("./observe/operationsPlugin.ts", import.meta.url),
      app,
    ],
    clock,
    random,
    log,
  });
}

function resultOf<Value>(settled: PromiseSettledResult<Value>): Value {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}

/** Loaded only here: a start without flags needs no library of them. */
async function flagsOf({ flags: source, clock, random, log }: Settings): Promise<FeatureFlags | undefined> {
  if (source === undefined) return undefined;
  const { openFlags } = await import("./flags/openFlags.ts");
  return openFlags({ source, domain: uuidv7(clock.now(), random.bytes(10)), clock, log });
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
