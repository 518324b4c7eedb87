/**
 * A conversation on a page of another origin (`examples/assistant`), with the scripted assistant of a real server: the page
 * is reloaded in the middle of an answer, the server killed, an answer stopped and asked for once more. Whatever was
 * written is there once, in order, with its answer under it.
 *
 * Seen red: with a snapshot whose messages are not shown, after the second reload.
 */
import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";
import { launchBrowser, visit } from "../src/browser.ts";
import { startExample } from "../src/example.ts";
import { endAll, type Holdfast, newFolder, startHoldfast } from "../src/holdfast.ts";
import { freePort } from "../src/nginx.ts";
import { openPlainClient } from "../src/plainClient.ts";
import { waitFor } from "../src/waiting.ts";

const liveMsMax = 60_000;
/** The script takes some seconds an answer, one after the other. */
const answersMsMax = 90_000;
const secret = "a secret that only this test and its server know";

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  try {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  } finally {
    await endAll();
  }
});

/** What the page shows: `sent started hello`, `reply writing I am …`. */
const shown = (page: Page): Promise<readonly string[]> =>
  page
    .locator("li")
    .evaluateAll((items) =>
      items.map((item) => `${item.dataset["kind"]} ${item.dataset["state"]} ${item.firstChild?.textContent}`),
    );

/** Waits until what is shown is so, and fails with what it was instead. */
async function showing(page: Page, isIt: (lines: readonly string[]) => boolean, what: string): Promise<void> {
  let last: readonly string[] = [];
  const looked = waitFor(
    async () => {
      last = await shown(page);
      return isIt(last) ? true : undefined;
    },
    { msMax: answersMsMax, what },
  );
  await looked.catch((error: unknown) => {
    throw new Error(`${String(error)}; shown was\n${last.join("\n")}`);
  });
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.getByLabel("Message").press("Enter");
}

const live = (page: Page): Promise<void> =>
  page.locator('main[data-connection="live"]').waitFor({ timeout: liveMsMax });

/** Each message with one whole answer under it, in this order and no other. */
function answered(texts: readonly string[]): (lines: readonly string[]) => boolean {
  return (lines) =>
    lines.length === 2 * texts.length &&
    texts.every(
      (text, index) =>
        lines[2 * index] === `sent finished ${text}` &&
        lines[2 * index + 1]?.startsWith("reply finished **I am a script"),
    );
}

test("[F68][F69][F73][F74] a page of another origin talks with an assistant, through a reload, a killed server and a stop", async () => {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const data = newFolder();
  const environment = {
    HOLDFAST_AGENTS_ASSISTANTS: "true",
    HOLDFAST_AGENTS_SHELL: "false",
    HOLDFAST_AGENTS_DEMO: "false",
    HOLDFAST_ORIGINS: origin,
    HOLDFAST_SIGN_IN_ISSUERS: JSON.stringify([{ issuer: "assistant-example", secret, role: "operator" }]),
  };
  const start = (at?: number): Promise<Holdfast> =>
    startHoldfast({ mode: "local", data, environment, ...(at === undefined ? {} : { port: at }) });
  const holdfast = await start();
  await startExample("assistant", { data: newFolder(), port }, { HOLDFAST: holdfast.url, SECRET: secret });
  const stranger = openPlainClient(holdfast.url, { headers: { origin: "http://127.0.0.1:1" } });
  await expect(stranger, "an origin that is not on the list").rejects.toThrow();

  const browser = await launchBrowser();
  cleanUps.push(() => browser.close());
  const visited = await visit(browser, origin);
  cleanUps.push(() => visited.close());
  await visited.context.addInitScript(() => sessionStorage.setItem("name", "pia"));
  const { page } = visited;
  await page.goto(origin);
  await live(page);

  for (const text of ["one", "two", "three"]) await write(page, text);
  await showing(page, (lines) => lines.some((line) => line.startsWith("reply writing **I")), "an answer being written");
  await page.reload();
  await live(page);
  await showing(page, answered(["one", "two", "three"]), "three messages with their answers, after a reload");
  await page.reload();
  await live(page);
  await showing(page, answered(["one", "two", "three"]), "the same, as history");

  await holdfast.kill();
  await page.locator('main:not([data-connection="live"])').waitFor({ timeout: liveMsMax });
  await write(page, "four");
  await showing(page, (lines) => lines.at(-1) === "pending sending four", "what waits for a server");
  await start(holdfast.port);
  await live(page);
  await showing(page, answered(["one", "two", "three", "four"]), "what was written without a server, answered once");

  await write(page, "five");
  await showing(page, (lines) => lines.at(-1)?.startsWith("reply writing **I am") ?? false, "an answer to be stopped");
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "interrupted: try again" }).click({ timeout: answersMsMax });
  await showing(
    page,
    (lines) => lines.length === 12 && answered(["five"])(lines.slice(-2)) && lines[8] === "sent finished five",
    "the stopped answer with what was written of it, and a whole one",
  );
  expect((await shown(page))[9], "what was written before the stop").toMatch(/^reply \S+ \*\*I am/);
  // It is in view, and so it is read: told to the server, and told back.
  await page.locator('main[data-unread="0"]').waitFor({ timeout: liveMsMax });
});
