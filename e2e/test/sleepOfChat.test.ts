/**
 * A machine that sleeps in the middle of an answer: both tabs and their worker are stopped while the model goes on, and
 * then go on as if no time had passed. The link is gone meanwhile, as after any longer sleep.
 *
 * `npm run proof:sleep` sleeps for 100 s, longer than the server's patience with hidden pages, which then ends the link
 * itself. A sleep is part of the story, no wait for a race.
 */
import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";
import { renderersOf } from "../src/browser.ts";
import {
  countedWords,
  documentStart,
  ended,
  exchanges,
  expectOnce,
  loggedExchanges,
  openChat,
  replies,
  startConversation,
  threadOf,
} from "../src/conversation.ts";
import { sendCommand } from "../src/pageObjects.ts";
import { endProcess } from "../src/processes.ts";
import { visitors } from "../src/visitors.ts";
import { pause, waitFor } from "../src/waiting.ts";

const sleepMs = Number(process.env["SLEEP_MS"] ?? 6_000);
/** A sleep as long as this ends the link by itself (LV-2). */
const patienceMsMax = 90_000;
const settleMsMax = 60_000;
const question = "tell endlessly";

const open = visitors();
const stopped: number[] = [];
// Before the visits are closed: a page that is stopped never closes.
afterEach(wake);

function wake(): void {
  for (const pid of stopped.splice(0)) endProcess(pid, "SIGCONT");
}

const wordsShown = async (page: Page): Promise<number> =>
  countedWords((await replies(page).first().textContent()) ?? "");

test("[F68] [F73] [F74] [LV-3] [LV-4] two tabs that sleep in mid-answer have all of it when they wake, and each message once", async () => {
  const conversation = await startConversation();
  const { model, server } = conversation;
  const { page, context } = await open(server.url);
  await page.goto(await server.signIn());
  await openChat(page);
  await sendCommand(page, question);
  const thread = await threadOf(page);
  const tab = await context.newPage();
  await tab.goto(page.url());
  const tabs = [page, tab];
  for (const one of tabs) await replies(one).first().waitFor();
  await tab.getByTestId("composer-input").fill("half a thought");
  const documents = await Promise.all(tabs.map(documentStart));
  const before = Math.max(...(await Promise.all(tabs.map(wordsShown))));

  // Sent, and asleep before the answer can have come.
  await sendCommand(page, "asleep");
  const browser = context.browser();
  for (const pid of browser === null ? [] : await renderersOf(browser)) {
    stopped.push(pid);
    endProcess(pid, "SIGSTOP");
  }
  expect(stopped.length).toBeGreaterThan(1);
  if (sleepMs < patienceMsMax) {
    const data = { weather: "cut" };
    const cut = await context.request.post(`${server.url}/api/weather`, { headers: { origin: server.url }, data });
    expect(await cut.json()).toEqual({ connections: 1 });
  }
  await pause(sleepMs);
  wake();

  for (const one of tabs)
    await waitFor(async () => ((await wordsShown(one)) > before + sleepMs / 200 ? true : undefined), {
      msMax: settleMsMax,
      what: "what was written meanwhile",
    });
  model.hurry();
  const logged = await waitFor(
    async () => {
      const all = await loggedExchanges(conversation, thread);
      return all.every(({ replies: said }) => said.length > 0) && model.requests("endlessly") === 1 ? all : undefined;
    },
    { msMax: settleMsMax, what: "answers in the log" },
  );
  for (const one of tabs) {
    await waitFor(async () => ((await exchanges(one).count()) === 2 ? true : undefined), {
      msMax: settleMsMax,
      what: "two messages",
    });
    await ended(one, "completed");
  }
  expect(logged.map((one) => one.question)).toEqual([question, "asleep"]);
  const [first] = await loggedExchanges(conversation, thread);
  expect(countedWords(first?.replies[0] ?? "")).toBeGreaterThan(before);
  await expectOnce(conversation, tabs, [
    { question, replies: first?.replies ?? [] },
    { question: "asleep", replies: ["You said: asleep."] },
  ]);
  expect(await Promise.all(tabs.map(documentStart))).toEqual(documents);
  expect(await tab.getByTestId("composer-input").inputValue()).toBe("half a thought");
});
