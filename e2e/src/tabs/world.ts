/**
 * The tabs' test bed: the real server in this process, a page and a worker built for it, one browser.
 *
 * Sockets are counted where they end, at the server: `most` is the most that were welcomed at one time.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer, type Log } from "@holdfast/server";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { rolldown } from "rolldown";
import { launchBrowser } from "../browser.ts";
import { openPlainClient } from "../plainClient.ts";
import { waitFor } from "../waiting.ts";
import { startFront } from "./front.ts";
import type { TestTab } from "./page.ts";

const waitMsMax = 60_000;

export interface Sockets {
  open: number;
  most: number;
  opened: number;
}

export interface TabsWorld {
  readonly context: BrowserContext;
  readonly browser: Browser;
  readonly sockets: Sockets;
  /** Uncaught errors of all pages. */
  readonly pageErrors: readonly string[];
  open(way: "worker" | "leader", search?: string): Promise<Page>;
  /** A program that is no tab appends `words`. */
  append(words: readonly string[]): Promise<void>;
  /** Every word that the log holds, in order, read by a client that is nobody's package. */
  log(): Promise<readonly string[]>;
  /** A page that runs the contract of a storage. */
  openStorage(): Promise<Page>;
  /** No socket gets through any more; those that did are gone. */
  cut(): void;
  mend(): void;
  /** Ends the shared worker as a crash would: nobody in it hears of it. */
  killWorker(): Promise<void>;
  close(): Promise<void>;
}

export async function makeTabsWorld(): Promise<TabsWorld> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-tabs-"));
  const page = join(folder, "page");
  await build("page", page, "page.js");
  await build("worker", page, "worker.js");
  await build("storagePage", page, "storage.js");
  await writeFile(
    join(page, "index.html"),
    '<!doctype html><title>tabs</title><script type="module" src="/page.js"></script>',
  );
  await writeFile(
    join(page, "storage.html"),
    '<!doctype html><title>storage</title><script type="module" src="/storage.js"></script>',
  );
  const sockets: Sockets = { open: 0, most: 0, opened: 0 };
  const server = await createServer({
    app: new URL("app.ts", import.meta.url),
    data: join(folder, "data"),
    mode: "development",
    log: countingLog(sockets),
  });
  const front = await startFront(page, server.url);
  const browser = await launchBrowser();
  const context = await browser.newContext();
  const pageErrors: string[] = [];
  return {
    context,
    browser,
    sockets,
    pageErrors,
    async open(way, search = "") {
      const opened = await context.newPage();
      opened.on("pageerror", (error) => pageErrors.push(error.stack ?? error.message));
      await opened.goto(`${front.url}/?way=${way}${search}`);
      await opened.waitForFunction(() => "tab" in window);
      return opened;
    },
    async openStorage() {
      const opened = await context.newPage();
      await opened.goto(`${front.url}/storage.html`);
      await opened.waitForFunction(() => "contract" in window);
      return opened;
    },
    async append(words) {
      const response = await fetch(`${server.url}/api/say`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ words }),
      });
      if (!response.ok) throw new Error(`append: HTTP ${response.status} ${await response.text()}`);
    },
    async log() {
      const client = await openPlainClient(server.url);
      const log = await client.read("log");
      const words = await waitFor(() => (log.events.length >= log.head ? log.events : undefined), {
        msMax: waitMsMax,
        what: "the whole log",
      });
      await client.close();
      return words.map(({ data }) => String(data["word"]));
    },
    cut: () => front.cut(),
    mend: () => front.mend(),
    async killWorker() {
      const session = await browser.newBrowserCDPSession();
      const { targetInfos } = await session.send("Target.getTargets");
      const worker = targetInfos.find(({ type }) => type === "shared_worker");
      if (worker === undefined) throw new Error("there is no shared worker");
      await session.send("Target.closeTarget", { targetId: worker.targetId });
      await session.detach();
    },
    async close() {
      await browser.close();
      await front.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What the tab's reader was given so far. */
export async function ledgerOf(page: Page): Promise<TestTab["ledger"]> {
  return await page.evaluate(() => (window as unknown as { tab: TestTab }).tab.ledger);
}

/** Resolves when the tab's ledger reaches `offset`; the ledger then. */
export async function readTo(page: Page, offset: number): Promise<TestTab["ledger"]> {
  const look = async () => {
    const ledger = await ledgerOf(page);
    return (ledger.cursor?.offset ?? 0) >= offset ? ledger : undefined;
  };
  return await waitFor(look, { msMax: waitMsMax, what: `the tab read up to ${offset}` });
}

export async function say(page: Page, words: readonly string[], durable = false): Promise<void> {
  await page.evaluate(
    ([all, isDurable]) => {
      for (const word of all) (window as unknown as { tab: TestTab }).tab.say(word, isDurable);
    },
    [words, durable] as const,
  );
}

export async function outcomesOf(page: Page): Promise<TestTab["outcomes"]> {
  return await page.evaluate(() => (window as unknown as { tab: TestTab }).tab.outcomes);
}

export async function stateOf(page: Page): Promise<TestTab["session"]["state"]> {
  return await page.evaluate(() => (window as unknown as { tab: TestTab }).tab.session.state);
}

export async function savedIn(page: Page): Promise<TestTab["session"]["saved"]> {
  return await page.evaluate(() => (window as unknown as { tab: TestTab }).tab.session.saved);
}

export async function withdraw(page: Page, ticket: string | undefined): Promise<void> {
  await page.evaluate((named) => (window as unknown as { tab: TestTab }).tab.session.withdraw(named), ticket ?? "");
}

/** 1, 2, 3 … `to`: what a complete ledger holds. */
export const upTo = (to: number): readonly number[] => Array.from({ length: to }, (_, index) => index + 1);

/** What is loaded later becomes files of their own. */
async function build(name: string, dir: string, entryFileNames: string): Promise<void> {
  const bundle = await rolldown({ input: fileURLToPath(new URL(`${name}.ts`, import.meta.url)), logLevel: "silent" });
  await bundle.write({ dir, entryFileNames, chunkFileNames: `${name}-[name].js`, format: "esm" });
  await bundle.close();
}

function countingLog(sockets: Sockets): Log {
  const open = new Set<unknown>();
  const count = (event: string, fields?: Readonly<Record<string, unknown>>): void => {
    if (event === "connection.opened") {
      open.add(fields?.["connection"]);
      sockets.opened += 1;
    } else if (event === "connection.closed") open.delete(fields?.["connection"]);
    sockets.open = open.size;
    sockets.most = Math.max(sockets.most, open.size);
  };
  return { debug: () => {}, info: count, warn: count, error: count };
}
