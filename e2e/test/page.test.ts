/** The whole line as a person sees it: sign in by the printed link, find the shell, type a command, read its output. */
import { mkdirSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { accessibilityFindings } from "../src/browser.ts";
import { startHoldfast } from "../src/holdfast.ts";
import {
  expectConnection,
  finishedOutcome,
  newestCommand,
  onlineAgent,
  sendCommand,
  terminalLines,
} from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";
import { waitFor } from "../src/waiting.ts";

const liveMsMax = 15_000;
const tabsMax = 60;
const echoes = 20;
/** More than the snapshot of a thread holds whole. */
const longLines = 30_000;
const longMsMax = 60_000;

const open = visitors();

/** Presses Tab until the element with this test id has the focus. */
async function tabTo(page: Page, testId: string): Promise<void> {
  for (let count = 0; count < tabsMax; count += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const element = document.activeElement?.closest("[data-testid]");
      return { id: element?.getAttribute("data-testid"), status: element?.getAttribute("data-status") };
    });
    if (focused.id === testId && (focused.status === "online" || focused.status === null)) return;
  }
  throw new Error(`${testId} is not reached by ${tabsMax} presses of Tab`);
}

test("sign in by the printed link, open the shell, send a command, see its output and its end", async () => {
  const server = await startHoldfast({ mode: "local", printSignIn: true });
  const { page } = await open(server.url);
  await page.goto(await server.signIn());
  const row = await onlineAgent(page, hostname());
  await expectConnection(page, "live", liveMsMax);
  // The code is used, and must not stay in the address or the history.
  expect(new URL(page.url()).hash).toBe("");
  await row.click();
  await sendCommand(page, "echo $((6*7))");
  expect(await finishedOutcome(page)).toBe("completed");
  expect(await newestCommand(page).getAttribute("data-text")).toBe("echo $((6*7))");
  const lines = await waitFor(
    async () => {
      const found = await terminalLines(page);
      return found.includes("42") ? found : undefined;
    },
    { msMax: liveMsMax, what: "42 in the terminal" },
  );
  expect(lines.filter((line) => line === "42")).toHaveLength(1);

  // A reload shows the same, still signed in.
  await page.reload();
  expect(await finishedOutcome(page)).toBe("completed");
  await waitFor(async () => ((await terminalLines(page)).includes("42") ? true : undefined), {
    msMax: liveMsMax,
    what: "42 again after a reload",
  });

  // Echo round trip: from Enter to the output's line on the page.
  const times: number[] = [];
  for (let count = 0; count < echoes; count += 1) {
    const offset = Number(await page.getByTestId("terminal").getAttribute("data-lines"));
    await page.getByTestId("composer-input").fill(`echo round ${count}`);
    const started = performance.now();
    await page.getByTestId("composer-input").press("Enter");
    await page.waitForFunction(
      (before) =>
        Number(document.querySelector<HTMLElement>('[data-testid="terminal"]')?.dataset["lines"]) >= before + 2,
      offset,
      { polling: "raf" },
    );
    times.push(performance.now() - started);
    await page
      .locator(`[data-testid="command-item"][data-text="echo round ${count}"][data-state="finished"]`)
      .waitFor();
  }
  times.sort((a, b) => a - b);
  const at = (part: number): number => Math.round(times[Math.min(echoes - 1, Math.floor(part * echoes))] ?? 0);
  process.stdout.write(`echo round trip in the page: median ${at(0.5)} ms, p95 ${at(0.95)} ms of ${echoes}\n`);
});

test("[ST-10] a long thread opens with its end, and draws all of it when asked, each line once", async () => {
  const server = await startHoldfast({ mode: "development" });
  const { page } = await open(server.url);
  await page.goto(server.url);
  await (await onlineAgent(page, hostname())).click();
  await sendCommand(page, `seq -f 'line %06.0f of a long output' 1 ${longLines}`);
  expect(await finishedOutcome(page)).toBe("completed");
  const expected = Array.from({ length: longLines }, (_, index) => `line ${String(index + 1).padStart(6, "0")}`);
  const shown = async (): Promise<string[]> =>
    (await terminalLines(page)).flatMap((line) => /^line \d{6}/.exec(line) ?? []);
  const until = (what: string, holds: (lines: string[]) => boolean): Promise<string[]> =>
    waitFor(async () => [await shown()].find(holds), { msMax: longMsMax, what });

  await page.reload();
  await page.getByTestId("earlier-output").waitFor();
  const end = await until("the last line", (lines) => lines.at(-1) === expected.at(-1));
  expect(end.length).toBeLessThan(longLines);
  expect(end).toEqual(expected.slice(-end.length));
  expect(await newestCommand(page).getAttribute("data-outcome")).toBe("completed");

  await page.getByText("Draw all of it").click();
  const all = await until("all lines", (lines) => lines.length >= longLines);
  expect(all).toEqual(expected);
  await page.getByTestId("earlier-output").waitFor({ state: "detached" });
});

test("a link works once; without signing in the page shows the sign-in form and nothing of the fleet", async () => {
  const server = await startHoldfast({ mode: "local", printSignIn: true });
  const link = await server.signIn();
  const first = await open(server.url);
  await first.page.goto(link);
  await onlineAgent(first.page);

  const second = await open(server.url);
  await second.page.goto(link);
  await second.page.getByTestId("sign-in-code").waitFor();
  expect(await second.page.getByTestId("sign-in-error").textContent()).toMatch(/\w/);
  expect(await second.page.getByTestId("agent-row").count()).toBe(0);
  expect(await accessibilityFindings(second.page)).toEqual([]);
});

test("by keyboard alone: to the agent, into the composer, send", async () => {
  const server = await startHoldfast({ mode: "development" });
  const { page } = await open(server.url);
  await page.goto(server.url);
  await onlineAgent(page, hostname());
  await tabTo(page, "agent-row");
  // The demo agent may come first in the list.
  while ((await page.evaluate(() => document.activeElement?.getAttribute("data-name"))) !== hostname()) {
    await tabTo(page, "agent-row");
  }
  await page.keyboard.press("Enter");
  await page.getByTestId("composer-input").waitFor();
  await tabTo(page, "composer-input");
  await page.keyboard.type("echo by keyboard");
  await page.keyboard.press("Enter");
  expect(await finishedOutcome(page)).toBe("completed");
  // The thread is new, and who wrote goes on writing.
  await page.keyboard.type("echo once more");
  expect(await page.getByTestId("composer-input").inputValue()).toBe("echo once more");
});

test("an admin finds who was connected and why that ended, by user, address or code; the list grows by itself", async () => {
  const server = await startHoldfast({ mode: "development" });
  const { page } = await open(server.url);
  await page.goto(server.url);
  await onlineAgent(page, hostname());
  await page.getByTestId("to-connections").click();
  await expect
    .poll(() => page.getByTestId("problems").textContent())
    .toBe("Nothing is wrong that this server knows of.");
  const before = await page.getByTestId("record").count();
  const other = await open(server.url);
  await other.page.goto(server.url);
  await onlineAgent(other.page, hostname());
  await other.page.close();
  await expect.poll(() => page.getByTestId("record").count(), { timeout: liveMsMax }).toBeGreaterThan(before);
  await page.getByTestId("records-filter").fill("127.0.0.1 nobody-of-this-name");
  await expect.poll(() => page.getByTestId("record").count()).toBe(0);
  await page.getByTestId("records-filter").fill("127.0.0.1");
  await page.getByTestId("record").first().click();
  await expect.poll(() => page.getByText("Closed with").first().isVisible()).toBe(true);
});

test.each([
  { width: 1_280, height: 800, colorScheme: "light" },
  { width: 1_280, height: 800, colorScheme: "dark" },
  { width: 390, height: 844, colorScheme: "light" },
  { width: 390, height: 844, colorScheme: "dark" },
] as const)("axe finds nothing at $width px, $colorScheme; nothing is wider than the screen", async (options) => {
  const server = await startHoldfast({ mode: "development" });
  const { page } = await open(server.url, options);
  const folder = join(tmpdir(), "holdfast-screenshots");
  mkdirSync(folder, { recursive: true });
  const look = async (name: string): Promise<void> => {
    await page.screenshot({ path: join(folder, `${name}-${options.width}-${options.colorScheme}.png`) });
    expect(await accessibilityFindings(page), name).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(options.width);
  };
  await page.goto(server.url);
  const row = await onlineAgent(page, hostname());
  await expectConnection(page, "live", liveMsMax);
  await look("fleet");
  await row.click();
  await sendCommand(page, "seq 1 50");
  expect(await finishedOutcome(page)).toBe("completed");
  await look("thread");
  await page.goto(new URL("/connections", server.url).href);
  await page.getByTestId("record").first().waitFor();
  await look("connections");
  await page.goto(new URL("/people", server.url).href);
  await page.getByTestId("invite-name").fill("Ada Lovelace");
  await page.getByTestId("invite").click();
  await page.getByTestId("person-link").waitFor();
  await page.locator('[data-testid="person"]:has-text("Ada")').getByTestId("person-remove").click();
  await look("people");
  await page.goto(new URL("/audit", server.url).href);
  await page.getByTestId("audit-entry").first().click();
  await page.getByText("Address", { exact: true }).waitFor();
  await look("audit");
});
