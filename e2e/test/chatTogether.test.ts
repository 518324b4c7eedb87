/**
 * One person in two tabs of one browser and on a second device: what is said, who is writing, what a thread is called and
 * what has been read are the same everywhere, without a reload; a text that is being typed stays where it is typed.
 */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { echoed, ended, exchanges, expectOnce, openChat, startConversation, threadOf } from "../src/conversation.ts";
import { sendCommand } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";
import { waitFor } from "../src/waiting.ts";

const shownMsMax = 15_000;
/**
 * So long the model says nothing, and everybody sees that it is at work. It is the deadline of all answers here, and a busy
 * machine may hold one that does begin for some seconds.
 */
const silentSeconds = 10;

const open = visitors();

test("[F65] [F74] two tabs and a second device of one person stay in step: messages, typing, titles, what has been read", async () => {
  const environment = { HOLDFAST_ASSISTANTS_FIRST_TOKEN_SECONDS: String(silentSeconds) };
  const conversation = await startConversation({ environment });
  const { server, call } = conversation;
  const laptop = await open(server.url);
  await laptop.page.goto(await server.signIn());
  await openChat(laptop.page);
  const agentPage = laptop.page.url();
  await sendCommand(laptop.page, "question 0");
  const thread = await threadOf(laptop.page);
  const threadPage = laptop.page.url();
  const tab = await laptop.context.newPage();
  await tab.goto(threadPage);
  const phone = await open(server.url, { width: 390, height: 844 });
  await phone.page.goto(await conversation.link());
  await phone.page.goto(threadPage);
  const pages = [laptop.page, tab, phone.page];
  const everywhere = async (holds: (page: Page) => Promise<boolean>, what: string): Promise<void> => {
    for (const page of pages)
      await waitFor(async () => ((await holds(page)) ? true : undefined), { msMax: shownMsMax, what });
  };

  // Each says something in turn; what one is typing is nobody else's.
  for (const page of pages) await ended(page, "completed");
  await tab.getByTestId("composer-input").fill("half a thought");
  await sendCommand(phone.page, "question 1");
  // Two who write at one moment have no order of their own.
  await exchanges(laptop.page).nth(1).waitFor();
  await sendCommand(laptop.page, "question 2");
  const wanted = [0, 1, 2].map((n) => echoed(`question ${n}`));
  await everywhere(async (page) => (await exchanges(page).count()) === wanted.length, "three messages");
  for (const page of pages) await ended(page, "completed");
  await expectOnce(conversation, pages, wanted);
  expect(await tab.getByTestId("composer-input").inputValue()).toBe("half a thought");
  for (const page of [laptop.page, phone.page]) expect(await page.getByTestId("composer-input").inputValue()).toBe("");

  // Somebody is writing, and has stopped: both are seen by all.
  await sendCommand(phone.page, "please hang");
  const typing = (page: Page): Promise<string | null> => page.getByTestId("typing").textContent();
  await everywhere(async (page) => (await typing(page)) === "Writing …", "the dots");
  for (const page of pages) await ended(page, "failed");
  await everywhere(async (page) => (await typing(page)) === "", "the dots' end");

  await call("thread.rename", { thread, title: "Named by another program" });
  await everywhere(
    async (page) => (await page.locator("h1").textContent()) === "Named by another program",
    "the title",
  );

  // News while nobody looks is marked everywhere, and no longer once one of them has seen it.
  for (const page of pages) await page.goto(agentPage);
  const row = (page: Page) => page.locator(`[data-testid="thread-row"][data-thread="${thread}"]`);
  const isUnread = async (page: Page): Promise<boolean> => (await row(page).getByTestId("unread").count()) === 1;
  for (const page of pages) await row(page).waitFor();
  await everywhere(async (page) => !(await isUnread(page)), "nothing unread");
  await call("command.send", { thread, text: "question 3" });
  await everywhere(isUnread, "the mark of news");
  await row(phone.page).click();
  await ended(phone.page, "completed");
  await everywhere(async (page) => page === phone.page || !(await isUnread(page)), "the mark's end");
  // It stays so: the answer that came while the phone showed it is seen, too.
  for (const page of [laptop.page, tab]) await page.goto(threadPage);
  await expectOnce(conversation, pages, [...wanted, { question: "please hang", replies: [] }, echoed("question 3")]);
});
