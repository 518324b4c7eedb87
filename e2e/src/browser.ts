/**
 * The system's Chromium, driven by Playwright: one browser a test file, one context a test.
 *
 * A page error that nobody caught fails the test that it happened in, whatever the test looked at. Console
 * errors are kept for the failure report. `E2E_CHROMIUM` is the browser that `npm test` found.
 */
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const launchMsMax = 30_000;
const actionMsMax = 15_000;

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Uncaught errors of the page, so far. */
  readonly pageErrors: readonly string[];
  readonly consoleErrors: readonly string[];
  /** Closes the context, and throws where the page had an uncaught error. */
  close(): Promise<void>;
}

export interface VisitOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
}

/**
 * @param path the browser's executable; the environment's where absent
 * @param through a port of loopback: whatever the browser connects to, it gets there, and neither page nor server
 *   can tell (no address, `Host` or `Origin` changes), as with a bad network
 * @param switches further ones of Chromium's own
 * @param without those of Playwright's that are left out
 */
export async function launchBrowser(
  path = process.env["E2E_CHROMIUM"] || "/usr/bin/chromium",
  through?: number,
  switches: readonly string[] = [],
  without: readonly string[] = [],
): Promise<Browser> {
  return await chromium.launch({
    executablePath: path,
    timeout: launchMsMax,
    ignoreDefaultArgs: [...without],
    args: [
      // Chromium's own sandbox cannot be set up by root (containers, CI).
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...(through === undefined ? [] : [`--host-resolver-rules=MAP * 127.0.0.1:${through}`]),
      ...switches,
    ],
  });
}

/** The processes in which its pages and shared workers run, by id. */
export async function renderersOf(browser: Browser): Promise<readonly number[]> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
}

/** Ends a page's process: no handler of it runs. */
export async function crashPage(page: Page): Promise<void> {
  const crashed = page.waitForEvent("crash", { timeout: actionMsMax });
  const session = await page.context().newCDPSession(page);
  session.send("Page.crash").catch(() => {});
  await crashed;
}

/** A person with nothing stored yet, who may read the clipboard of `origin`. */
export async function visit(browser: Browser, origin: string, options: VisitOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1_280, height: options.height ?? 800 },
    colorScheme: options.colorScheme ?? "light",
    reducedMotion: "reduce",
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
  context.setDefaultTimeout(actionMsMax);
  const page = await context.newPage();
  const pageErrors: string[] = [];
  const consoleErrors: string[] = [];
  page.on("pageerror", (error) => pageErrors.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error") consoleErrors.push(message.text());
  });
  return {
    context,
    page,
    pageErrors,
    consoleErrors,
    close: async () => {
      await context.close();
      if (pageErrors.length > 0) throw new Error(`the page had uncaught errors:\n${pageErrors.join("\n")}`);
    },
  };
}

/** What axe finds on the page as it is now, one line each; WCAG 2.2 AA and best practices. */
export async function accessibilityFindings(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes
        .map((node) => node.target.join(" "))
        .slice(0, 5)
        .join(", ")}`,
  );
}
