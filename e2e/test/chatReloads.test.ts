/**
 * Hard reloads in the middle of an answer: each shows what is written so far, the end is whole and there once, and what was
 * being typed is still there.
 *
 * `RELOADS` is how many, one after the other; as many again come in a burst, each before the page of the one before is there.
 */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import {
  countedWords,
  ended,
  exchanges,
  expectOnce,
  loggedExchanges,
  openChat,
  replies,
  startConversation,
  threadOf,
} from "../src/conversation.ts";
import { expectConnection, sendCommand } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";

const reloads = Number(process.env["RELOADS"] ?? 10);
const liveMsMax = 15_000;
const question = "tell endlessly";
const draft = "Half a thought, é\nand a second line";

const open = visitors();

/** As a person does who holds Shift: nothing of the page comes from the browser's cache. */
async function reloadHard(page: Page): Promise<void> {
  const debug = await page.context().newCDPSession(page);
  const loaded = page.waitForEvent("load");
  await debug.send("Page.reload", { ignoreCache: true });
  await loaded;
  await debug.detach();
}

async function wordsShown(page: Page): Promise<number> {
  await replies(page).first().waitFor();
  return countedWords((await replies(page).first().textContent()) ?? "");
}

test(`[F57] [F65] [F68] ${reloads} hard reloads in one answer: what is written so far is there each time, the whole once at the end, the draft kept`, async () => {
  const conversation = await startConversation();
  const { model, server } = conversation;
  const { page } = await open(server.url);
  await page.goto(await server.signIn());
  await openChat(page);
  await sendCommand(page, question);
  const thread = await threadOf(page);
  await replies(page).first().waitFor();
  await page.getByTestId("composer-input").fill(draft);

  let before = await wordsShown(page);
  for (let reload = 1; reload <= reloads; reload += 1) {
    await reloadHard(page);
    const now = await wordsShown(page);
    expect(now, `reload ${reload}`).toBeGreaterThanOrEqual(before);
    expect(await exchanges(page).count()).toBe(1);
    expect(await page.getByTestId("composer-input").inputValue()).toBe(draft);
    before = now;
  }
  for (let reload = 0; reload < reloads; reload += 1) {
    // By the page itself: the debugger's own reload is refused while the document before is being replaced.
    const navigated = page.waitForEvent("framenavigated");
    await page.evaluate(() => void setTimeout(() => location.reload(), 0));
    await navigated;
  }
  expect(await wordsShown(page)).toBeGreaterThan(before);
  expect(await replies(page).first().getAttribute("data-state")).toBe("started");

  model.hurry();
  await ended(page, "completed");
  await expectConnection(page, "live", liveMsMax);
  const [logged] = await loggedExchanges(conversation, thread);
  expect(countedWords(logged?.replies[0] ?? "")).toBeGreaterThan(before);
  await expectOnce(conversation, [page], [{ question, replies: logged?.replies ?? [] }]);
  expect(await page.getByTestId("composer-input").inputValue()).toBe(draft);
});
