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
import { waitFor } from "../waiting.ts";
import type { TestTab } from "./page.ts";

const waitMsMax = 20_000;

export interface Sockets {
  open: number;
  most: number;
  opened: number;
}

export interface TabsWorld {
  readonly url: string;
  readonly context: BrowserContext;
  readonly browser: Browser;
  readonly sockets: Sockets;
  /** Uncaught errors of all pages. */
  readonly pageErrors: readonly string[];
  open(way: "worker" | "leader", search?: string): Promise<Page>;
  close(): Promise<void>;
}

export async function makeTabsWorld(): Promise<TabsWorld> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-tabs-"));
  const page = join(folder, "page");
  await build("page", join(page, "page.js"));
  await build("worker", join(page, "worker.js"));
  await writeFile(
    join(page, "index.html"),
    '<!doctype html><title>tabs</title><script type="module" src="/page.js"></script>',
  );
  const sockets: Sockets = { open: 0, most: 0, opened: 0 };
  const server = await createServer({
    app: new URL("app.ts", import.meta.url),
    data: join(folder, "data"),
    page,
    mode: "development",
    log: countingLog(sockets),
  });
  const browser = await launchBrowser();
  const context = await browser.newContext();
  const pageErrors: string[] = [];
  return {
    url: server.url,
    context,
    browser,
    sockets,
    pageErrors,
    async open(way, search = "") {
      const opened = await context.newPage();
      opened.on("pageerror", (error) => pageErrors.push(error.stack ?? error.message));
      await opened.goto(`${server.url}/?way=${way}${search}`);
      await opened.waitForFunction(() => "tab" in window);
      return opened;
    },
    async close() {
      await browser.close();
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

/** 1, 2, 3 … `to`: what a complete ledger holds. */
export const upTo = (to: number): readonly number[] => Array.from({ length: to }, (_, index) => index + 1);

async function build(name: string, file: string): Promise<void> {
  const bundle = await rolldown({ input: fileURLToPath(new URL(`${name}.ts`, import.meta.url)), logLevel: "silent" });
  await bundle.write({ file, format: "esm" });
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
