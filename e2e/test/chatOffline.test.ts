/**
 * What is written without a connection: it is shown as saved here, in every tab, and sent once when there is one again;
 * also across a hard reload meanwhile, and where the server had taken it and only its answer was lost.
 *
 * A page that is reloaded without a network is loaded from nowhere: the browser shows its own error, as it does for any
 * page, and what was saved waits for the next one that comes. No service worker keeps the page, deliberately: one that is
 * older than its server would be worse than none.
 */
import type { BrowserContext, Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import {
  type Conversation,
  echoed,
  ended,
  exchanges,
  expectOnce,
  loggedExchanges,
  openChat,
  startConversation,
  threadOf,
} from "../src/conversation.ts";
import { expectConnection, sendCommand } from "../src/pageObjects.ts";
import { type Proxy as FaultyLink, startProxy } from "../src/proxy.ts";
import { visitors } from "../src/visitors.ts";
import { waitFor } from "../src/waiting.ts";

const shownMsMax = 15_000;
const backMsMax = 60_000;

let proxy: FaultyLink;
beforeAll(async () => {
  proxy = await startProxy(0);
  return () => proxy.close();
});
const open = visitors([], () => proxy.port);

/** Questions that were shown twice at one moment, however short. */
async function watchDoubles(context: BrowserContext): Promise<(page: Page) => Promise<readonly string[]>> {
  await context.addInitScript(() => {
    const doubles: string[] = [];
    Object.assign(window, { doubles });
    new MutationObserver(() => {
      const texts = [...document.querySelectorAll('[data-testid="chat-question"]')].map((one) => one.textContent ?? "");
      doubles.push(...texts.filter((text, index) => texts.indexOf(text) !== index));
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  return (page) => page.evaluate(() => (window as unknown as { doubles: string[] }).doubles);
}

async function begin(): Promise<{
  conversation: Conversation;
  page: Page;
  other: Page;
  context: BrowserContext;
  doubles: (page: Page) => Promise<readonly string[]>;
}> {
  const conversation = await startConversation();
  proxy.retarget(conversation.server.port);
  const { page, context } = await open(conversation.server.url);
  const doubles = await watchDoubles(context);
  await page.goto(await conversation.server.signIn());
  await openChat(page);
  await sendCommand(page, "question 0");
  await threadOf(page);
  await ended(page, "completed");
  const other = await context.newPage();
  await other.goto(page.url());
  await ended(other, "completed");
  return { conversation, page, other, context, doubles };
}

const savedHere = (page: Page) => page.locator('[data-testid="chat-exchange"][data-state="saved"]');

async function savedIn(page: Page, count: number): Promise<void> {
  await waitFor(async () => ((await savedHere(page).count()) === count ? true : undefined), {
    msMax: shownMsMax,
    what: `${count} messages saved here`,
  });
}

test("[F69] [RQ-3] written offline in two tabs: saved here in both, across a hard reload that finds no page, sent once and in order", async () => {
  const { conversation, page, other, context, doubles } = await begin();
  const url = page.url();
  proxy.cut();
  await context.setOffline(true);
  await waitFor(async () => (/offline|connecting|waiting/.test((await pill(page)) ?? "") ? true : undefined), {
    msMax: shownMsMax,
    what: "no connection",
  });
  await sendCommand(page, "offline 1");
  await savedIn(other, 1);
  await sendCommand(other, "offline 2");
  await sendCommand(page, "offline 3");
  for (const tab of [page, other]) {
    await savedIn(tab, 3);
    expect(await tab.getByTestId("chat-question").allTextContents()).toEqual([
      "question 0",
      "offline 1",
      "offline 2",
      "offline 3",
    ]);
  }
  await page.getByTestId("composer-input").fill("not sent yet");

  // The page comes from nowhere: what it shows then is the browser's own error.
  await expect(page.reload()).rejects.toThrow(/ERR_INTERNET_DISCONNECTED/);
  expect(await exchanges(page).count()).toBe(0);

  await context.setOffline(false);
  proxy.heal();
  await page.goto(url);
  for (const tab of [page, other]) await expectConnection(tab, "live", backMsMax);
  for (const tab of [page, other])
    await waitFor(async () => ((await savedHere(tab).count()) === 0 ? true : undefined), {
      msMax: backMsMax,
      what: "sent",
    });
  for (const tab of [page, other]) await ended(tab, "completed");
  const wanted = ["question 0", "offline 1", "offline 2", "offline 3"].map(echoed);
  await expectOnce(conversation, [page, other], wanted);
  for (const tab of [page, other]) expect(await doubles(tab)).toEqual([]);
  expect(await page.getByTestId("composer-input").inputValue()).toBe("not sent yet");
});

test("[F69] [F73] [RQ-1] the server has taken it and its answer is lost, in a page that stays and in one that is reloaded: sent again as the same, shown once", async () => {
  const { conversation, page, other, doubles } = await begin();
  const thread = await threadOf(page);
  const taken = async (count: number): Promise<void> => {
    await waitFor(async () => ((await loggedExchanges(conversation, thread)).length === count ? true : undefined), {
      msMax: shownMsMax,
      what: `message ${count} in the log`,
    });
  };
  const questions = ["question 0"];
  for (const isReloaded of [false, true]) {
    const question = isReloaded ? "lost and reloaded" : "lost";
    questions.push(question);
    proxy.deafen();
    await sendCommand(page, question);
    await taken(questions.length);
    // Nobody here can know it.
    expect(await savedHere(page).count()).toBe(1);
    proxy.heal();
    if (isReloaded) await page.reload();
    for (const tab of [page, other]) {
      await waitFor(async () => ((await exchanges(tab).count()) === questions.length ? true : undefined), {
        msMax: backMsMax,
        what: `${questions.length} messages`,
      });
      await ended(tab, "completed");
    }
  }
  expect(proxy.counters.bytesSwallowed).toBeGreaterThan(0);
  await expectOnce(conversation, [page, other], questions.map(echoed));
  for (const tab of [page, other]) expect(await doubles(tab)).toEqual([]);
});

const pill = (page: Page): Promise<string | null> => page.getByTestId("connection-pill").getAttribute("data-state");
