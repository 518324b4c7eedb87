/**
 * The page as a person finds it: by its test ids, in one place.
 *
 * A test says what it does in words of the page (open the shell agent, send a command); how the page marks it
 * is written here and nowhere else. Nothing here waits for a fixed time: Playwright's locators wait for a state.
 */

import type { Locator, Page } from "playwright-core";
import { waitFor } from "./waiting.ts";

const onlineMsMax = 30_000;
const finishedMsMax = 60_000;
const copyMsMax = 15_000;

/** The row of an agent in the fleet, once it is online. */
export async function onlineAgent(page: Page, name?: string): Promise<Locator> {
  const selector = name === undefined ? "" : `[data-name="${name}"]`;
  const row = page.locator(`[data-testid="agent-row"][data-status="online"]${selector}`).first();
  await row.waitFor({ timeout: onlineMsMax });
  return row;
}

/** The newest command of the thread that the page shows. */
export function newestCommand(page: Page): Locator {
  return page.getByTestId("command-item").last();
}

/** Types into the composer and sends by Enter. */
export async function sendCommand(page: Page, text: string): Promise<void> {
  await page.getByTestId("composer-input").fill(text);
  await page.getByTestId("composer-input").press("Enter");
}

/** Resolves when the newest command is `finished`; its outcome. */
export async function finishedOutcome(page: Page, msMax = finishedMsMax): Promise<string | null> {
  const item = page.locator('[data-testid="command-item"][data-state="finished"]').last();
  await item.waitFor({ timeout: msMax });
  return await item.getAttribute("data-outcome");
}

/** The terminal's whole scrollback, by its own "Copy all". */
export async function terminalLines(page: Page): Promise<readonly string[]> {
  const copied = clipboard.then(async () => {
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await page.getByTestId("terminal-copy").click();
    return await waitFor(async () => (await page.evaluate(() => navigator.clipboard.readText())) || undefined, {
      msMax: copyMsMax,
      what: "the terminal's text in the clipboard",
    });
  });
  clipboard = copied.catch(() => undefined);
  return (await copied).split("\n");
}

/** All pages of a browser share one clipboard: whoever comes later waits. */
let clipboard: Promise<unknown> = Promise.resolve();

/** The connection's state, as the pill has it. */
export async function expectConnection(page: Page, state: string, msMax: number): Promise<void> {
  const look = async (): Promise<true | undefined> =>
    (await page.getByTestId("connection-pill").getAttribute("data-state")) === state ? true : undefined;
  await waitFor(look, { msMax, what: `the connection ${state}` });
}
