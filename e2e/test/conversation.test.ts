/**
 * Finding one's way in what was said, and tidying up after it, in Chromium: search, drafts, cancelling, archiving, removing;
 * and what the next person in the same browser sees of all that.
 *
 * The assistant is a plain socket that takes what it is handed and never begins: what is sent waits until it is cancelled.
 * Seen red: a place far back shown with the end right behind it, since both had an old message that had not ended.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { accessibilityFindings } from "../src/browser.ts";
import { startHoldfast } from "../src/holdfast.ts";
import { expectConnection, finishedOutcome, onlineAgent, sendCommand } from "../src/pageObjects.ts";
import { openPlainClient } from "../src/plainClient.ts";
import { visitors } from "../src/visitors.ts";

const open = visitors();
/** More than a stream's snapshot holds, and a page before that. */
const messagesCount = 300;
const waitMsMax = 30_000;
const farText = "the needle far back";

/** A server with one assistant, and one long conversation with it. */
async function withConversation() {
  const server = await startHoldfast({
    mode: "development",
    environment: { HOLDFAST_AGENTS_SHELL: "false", HOLDFAST_AGENTS_DEMO: "false" },
  });
  const claims = { name: "Kelp", kind: "assistant", host: "reef", capabilities: [], process: randomUUID(), open: [] };
  const agent = await openPlainClient(server.url, { hello: { agent: claims } });
  const welcome = await agent.message(({ type }) => type === "welcome", "the agent's welcome");
  const { id } = welcome["agent"] as { readonly id: string };
  const person = await openPlainClient(server.url);
  const { thread } = await person.call("command.send", { agent: id, text: "the first" });
  const texts = Array.from({ length: messagesCount }, (_, n) => (n === 3 ? farText : `message ${n}`));
  texts[messagesCount - 5] = "a Needle near the end";
  const sent = await Promise.all(texts.map((text) => person.call("command.send", { thread, text })));
  await Promise.all(sent.map(({ command }) => person.call("command.cancel", { command })));
  return { server, agent, person, id, thread: String(thread) };
}

const found = (page: Page) => page.locator("[data-found]");
const standing = (page: Page) => page.getByTestId("chat-search-standing");
const isInView = (page: Page) =>
  found(page).evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    const frame = element.closest('[data-testid="chat-log"]')?.getBoundingClientRect();
    return frame !== undefined && top < frame.bottom && bottom > frame.top;
  });
const marks = (page: Page) => page.evaluate(() => CSS.highlights.get("found")?.size ?? 0);

test("[F65] what was said is found again, near and far back, by keyboard, and without a connection as soon as there is one", async () => {
  const { server, thread } = await withConversation();
  const { page } = await open(server.url);
  await page.goto(`${server.url}/threads/${thread}`);
  await page.getByTestId("chat-exchange").nth(150).waitFor();
  await page.getByRole("heading", { level: 1 }).click();
  await page.keyboard.press("/");
  await page.keyboard.type("NEEDLE");
  await expect.poll(() => standing(page).textContent()).toMatch(/^1 of 2: .*dle near/);
  await expect.poll(() => isInView(page)).toBe(true);

  await page.keyboard.press("Enter");
  await expect.poll(() => found(page).textContent(), { timeout: waitMsMax }).toContain(farText);
  await expect.poll(() => isInView(page)).toBe(true);
  await expect.poll(() => marks(page)).toBe(1);
  const shown = () => page.getByTestId("chat-question").allTextContents();
  const around = await shown();
  expect(await accessibilityFindings(page)).toEqual([]);
  expect([around[0], around.includes(`message ${messagesCount - 1}`)]).toEqual(["the first", false]);
  // On from there to the end, without a hole.
  await page.getByTestId("later-messages").click();
  await page.getByText("message 77", { exact: true }).waitFor({ state: "attached" });
  await page.getByTestId("later-messages").click();
  await page.getByTestId("far-back").waitFor({ state: "detached" });
  expect((await shown()).slice(1).map((text) => text.replace(/\D+/g, ""))).toEqual(
    Array.from({ length: messagesCount }, (_, n) => ([3, messagesCount - 5].includes(n) ? "" : String(n))),
  );

  await page.getByTestId("chat-search-input").press("Shift+Enter");
  await expect.poll(() => standing(page).textContent()).toMatch(/^1 of 2/);
  await page.keyboard.press("Escape");
  expect(await page.evaluate(() => document.activeElement?.hasAttribute("data-command"))).toBe(true);
  expect([await page.locator("search").count(), await marks(page)]).toEqual([0, 0]);

  const phone = await open(server.url, { width: 390, height: 700, colorScheme: "dark" });
  await phone.page.goto(`${server.url}/threads/${thread}`);
  await phone.page.getByTestId("chat-search").click();
  await phone.page.getByTestId("chat-search-input").fill("nowhere to be found");
  await expect.poll(() => standing(phone.page).textContent()).toBe("Not found");
  expect(await phone.page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);

  await server.kill();
  await expectConnection(phone.page, "waiting", waitMsMax);
  await phone.page.getByTestId("chat-search-input").fill(farText);
  await expect.poll(() => standing(phone.page).textContent()).toBe("Waiting for a connection …");
  await startHoldfast({ mode: "development", data: server.data, port: server.port });
  await expect.poll(() => standing(phone.page).textContent(), { timeout: waitMsMax }).toMatch(/^1 of 1/);
});

test("[F69] a draft outlives its tab, and is in step in all; what was cancelled is a draft again; gone things can be put away", async () => {
  const { server, agent, id, thread } = await withConversation();
  const { page, context } = await open(server.url);
  const composer = (of: Page) => of.getByTestId("composer-input");
  await page.goto(`${server.url}/threads/${thread}`);
  await composer(page).fill("half a thought");
  const second = await context.newPage();
  await second.goto(page.url());
  await expect.poll(() => composer(second).inputValue()).toBe("half a thought");
  // The person leaves the one window for the other, which the driven browser does not tell by itself.
  await page.evaluate(() => window.dispatchEvent(new Event("blur")));
  await composer(second).fill("half a thought, and the rest");
  await expect.poll(() => composer(page).inputValue()).toBe("half a thought, and the rest");
  await second.close();
  await page.goto(`${server.url}/agents/${id}`);
  expect(await composer(page).inputValue()).toBe("");
  await page.goto(`${server.url}/threads/${thread}`);
  await expect.poll(() => composer(page).inputValue()).toBe("half a thought, and the rest");

  await composer(page).press("Enter");
  const mine = page.locator('[data-testid="chat-exchange"]:has-text("and the rest")');
  await mine.getByTestId("command-cancel").click();
  await expect.poll(() => composer(page).inputValue()).toBe("half a thought, and the rest");
  await expect.poll(() => mine.getAttribute("data-outcome")).toBe("interrupted");

  // What waits hides in no archive.
  await page.getByTestId("thread-archive").click();
  await page.locator("header [role=alert]").waitFor();
  await page.getByTestId("command-cancel").first().click();
  await page.getByTestId("command-cancel").waitFor({ state: "detached" });
  await page.getByTestId("thread-archive").click();
  await page.getByTestId("archived").waitFor();
  const row = page.locator(`[data-testid="thread-row"][data-thread="${thread}"]`);
  await row.waitFor({ state: "detached" });
  await page.getByTestId("show-archived").click();
  await row.waitFor();
  await page.reload();
  await page.getByTestId("archived").waitFor();
  await composer(page).press("Enter");
  await page.getByTestId("archived").waitFor({ state: "detached" });
  await row.waitFor();

  await agent.close();
  await page.goto(`${server.url}/agents/${id}`);
  await page.getByTestId("agent-remove").click({ timeout: waitMsMax });
  expect(await page.getByRole("region", { name: "Remove Kelp" }).textContent()).toContain("1 command");
  expect(await accessibilityFindings(page)).toEqual([]);
  await page.getByTestId("agent-remove-sure").click();
  await page.locator('[data-testid="agent-row"]').waitFor({ state: "detached" });
  await expect.poll(() => page.getByTestId("agent-line").textContent()).toContain("removed");
  await page.goto(`${server.url}/threads`);
  await row.click();
  await expect.poll(() => page.getByTestId("chat-exchange").last().textContent()).toContain("its agent was removed");
  expect(await composer(page).count()).toBe(0);
});

test("[O8] who signs in after somebody else finds nothing of them, also by the way back", async () => {
  const server = await startHoldfast({ mode: "local", printSignIn: true });
  const { page } = await open(server.url);
  await page.goto(await server.signIn());
  await page.getByTestId("to-people").click();
  await page.getByTestId("invite-name").fill("Grace");
  await page.getByTestId("invite").click();
  const link = await page.getByTestId("person-link").inputValue();
  await page.goto(server.url);
  await (await onlineAgent(page, hostname())).click();
  await sendCommand(page, "echo a shared thread");
  expect(await finishedOutcome(page)).toBe("completed");
  const thread = page.url();
  const canary = "canary of the owner";
  await page.getByTestId("composer-input").fill(canary);
  await page.getByTestId("sign-out").click();
  await page.getByTestId("sign-in-code").waitFor();
  // Back leads into no page of hers.
  await page.goBack();
  await page.getByTestId("sign-in-code").waitFor();
  expect(await page.content()).not.toMatch(/canary|shared thread/);

  await page.goto(link);
  await page.goto(thread);
  await page.getByTestId("command-item").waitFor();
  await expectConnection(page, "live", waitMsMax);
  const kept = () => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(`${await page.content()} ${await kept()}`).not.toContain("canary");
  // A viewer, with nothing to send, and her own marks: what the owner had read is no mark of hers.
  expect(await page.getByTestId("composer-input").count()).toBe(0);
  expect(await page.evaluate(() => document.cookie)).toBe("");
});
