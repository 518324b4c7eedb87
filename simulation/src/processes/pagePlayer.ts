/**
 * A browser with one page, behind a bad network: either the recorder's page or the product's own.
 *
 * Whatever the browser connects to, it gets to the proxy; neither page nor server can tell. The recorder's document is
 * put there by the run under an address of the server's, so that cookie, origin and socket are those of any page. A
 * page whose session is over is signed in again, as its person would do.
 */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { crashPage, launchBrowser, renderersOf } from "../../../e2e/src/browser.ts";
import type { Observation } from "../judge/observation.ts";
import { type FaultyProxy, startFaultyProxy } from "./faultyProxy.ts";
import type { LifeEnd } from "./history.ts";
import type { RecorderPage } from "./pageSource.ts";
import { type Player, pause, strikeLink } from "./player.ts";
import type { RecorderStatus } from "./recorderSettings.ts";
import type { Strike } from "./schedule.ts";

const workspace = "default";
const owner = "owner";
const recorderPath = "/recorder/";
/** The recorder's document comes from the run, not from loopback: to Chromium its socket would reach into a foreign network. */
const documentOfNowhere = "--disable-features=LocalNetworkAccessChecks";
const openMsMax = 60_000;
const onePageMsMax = 10_000;
const openAgainMs = 500;

export interface PagePlayer extends Player {
  readonly page: Page;
  readonly connections: number;
  readonly lifeEnds: readonly LifeEnd[];
  /** What the recorder's page told, all its lives; and errors that nobody caught. */
  readonly records: readonly Observation[];
  /** Of the recorder's page. Undefined while it does not answer. */
  status(): Promise<(RecorderStatus & { readonly reason?: string }) | undefined>;
  /** Of the product's page, which shows a thread; undefined while it does not answer. */
  shown(): Promise<ShownThread | undefined>;
  /** Gives it a new session and loads it again. */
  signInAgain(): Promise<void>;
  /** Closes the browser, whatever it does. Idempotent. */
  close(): Promise<void>;
  /** Bytes of its JavaScript heap after a collection. */
  heapBytes(): Promise<number>;
}

/** What the product's page shows of its thread. */
export interface ShownThread {
  /** The connection, in the page's own word. */
  readonly state: string;
  /** The last offset of the thread that is drawn in the terminal. */
  readonly drawn: number;
  /** Commands that are shown as ended. */
  readonly ended: readonly { readonly command: string; readonly outcome: string }[];
}

export interface PagePlayerOptions {
  readonly name: string;
  readonly url: string;
  readonly serverPort: number;
  /** A new session's cookie, `name=value`. */
  readonly signIn: () => Promise<string>;
  readonly random: () => number;
  /** The recorder's page reads these; absent: the product's page at `path`. */
  readonly recorder?: { readonly script: string; readonly streams: readonly string[] };
  readonly path?: string;
}

export async function makePagePlayer(options: PagePlayerOptions): Promise<PagePlayer> {
  const { name, url, serverPort, signIn, random, recorder } = options;
  const proxy: FaultyProxy = await startFaultyProxy({ target: serverPort, random });
  const browser: Browser = await launchBrowser(undefined, proxy.port, [documentOfNowhere]);
  const context: BrowserContext = await browser.newContext();
  const records: Observation[] = [];
  const lifeEnds: LifeEnd[] = [];
  let life = 0;
  let page: Page | undefined;
  const address = recorder === undefined ? `${url}${options.path ?? "/"}` : `${url}${recorderPath}`;

  if (recorder !== undefined) await addRecorder(context, `${url}${recorderPath}`, recorder.script);
  await context.exposeBinding("recorderObserved", (_source, observations: readonly Observation[]) => {
    records.push(...observations);
  });
  await context.exposeBinding("recorderSettings", () => {
    // Asked once by each document: a life of its own.
    if (life > 0) lifeEnds.push({ client: `${name}#${life}`, at: Date.now() });
    life += 1;
    return { client: `${name}#${life}`, streams: recorder?.streams ?? [], user: owner, workspace };
  });

  async function setCookie(): Promise<void> {
    const [cookie = "", value = ""] = (await signIn()).split("=");
    await context.addCookies([{ name: cookie, value, url, httpOnly: true, sameSite: "Lax" }]);
  }

  /** Loads the address until the server answers. */
  async function open(): Promise<void> {
    page ??= await newPage();
    const end = performance.now() + openMsMax;
    for (;;) {
      try {
        await page.goto(address, { timeout: onePageMsMax, waitUntil: "domcontentloaded" });
        return;
      } catch (error) {
        // The server or the network is away, and the browser shows its own page.
        if (performance.now() > end) throw error;
        await pause(openAgainMs);
      }
    }
  }

  async function newPage(): Promise<Page> {
    const opened = await context.newPage();
    opened.on("pageerror", (error) => {
      records.push({ kind: "uncaught", at: Date.now(), where: name, error: error.stack ?? error.message });
    });
    return opened;
  }

  async function reopen(strike: Strike): Promise<void> {
    const former = page;
    if (strike.fault.kind === "crash" && former !== undefined) await crashPage(former);
    await former?.close();
    page = undefined;
    await pause(strike.ms);
    await open();
  }

  return {
    name,
    get page() {
      if (page === undefined) throw new Error(`${name} has no page just now`);
      return page;
    },
    get connections() {
      return proxy.connections;
    },
    lifeEnds,
    records,
    async start() {
      await setCookie();
      await open();
    },
    async strike(strike) {
      const isConnected = proxy.connections > 0;
      switch (strike.fault.kind) {
        case "reload":
        case "reopen":
        case "crash":
          if (strike.fault.kind === "reload") await open();
          else await reopen(strike);
          return isConnected ? 1 : 0;
        case "stop": {
          const stopped = await signalRenderers(browser, "SIGSTOP");
          await pause(strike.ms);
          await signalRenderers(browser, "SIGCONT");
          return isConnected ? stopped : 0;
        }
        default:
          return await strikeLink(proxy, strike);
      }
    },
    async status() {
      return await page
        ?.evaluate(() => (window as unknown as { recorder?: RecorderPage }).recorder?.status())
        .catch(() => undefined);
    },
    async shown() {
      return await page?.evaluate(readShown).catch(() => undefined);
    },
    async signInAgain() {
      await setCookie();
      await open();
    },
    async heapBytes() {
      const session = await context.newCDPSession(page ?? (await newPage()));
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      await session.detach();
      return usedSize;
    },
    async end() {
      await page
        ?.evaluate(async () => await (window as unknown as { recorder?: RecorderPage }).recorder?.tellPosition())
        .catch(() => undefined);
      await browser.close();
      await proxy.close();
    },
    close: async () => await browser.close(),
  };
}

async function addRecorder(context: BrowserContext, address: string, script: string): Promise<void> {
  await context.route(`${address}**`, async (route) => {
    const isScript = route.request().url().endsWith(".js");
    await route.fulfill({
      contentType: isScript ? "text/javascript" : "text/html",
      body: isScript
        ? script
        : '<!doctype html><title>recorder</title><script type="module" src="/recorder/page.js"></script>',
    });
  });
}

/** Runs in the page. */
function readShown(): ShownThread {
  const all = (id: string): readonly HTMLElement[] => [
    ...document.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`),
  ];
  return {
    state: all("connection-pill")[0]?.dataset["state"] ?? "",
    drawn: Number(all("terminal")[0]?.dataset["offset"] ?? 0),
    ended: all("command-item").flatMap(({ dataset: { command, outcome } }) =>
      command === undefined || outcome === undefined ? [] : [{ command, outcome }],
    ),
  };
}

/** How many renderers there were. */
async function signalRenderers(browser: Browser, signal: "SIGSTOP" | "SIGCONT"): Promise<number> {
  const renderers = await renderersOf(browser);
  for (const id of renderers) process.kill(id, signal);
  return renderers.length;
}
