/**
 * A conversation as a person has it, in Chromium, with a model that misbehaves: a loopback endpoint of ours.
 *
 * The last word of a question says what the endpoint does with it (`modelEndpoint`).
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { accessibilityFindings } from "../src/browser.ts";
import {
  type Conversation,
  ended,
  exchanges,
  modelKey,
  openChat,
  replies,
  startAssistants,
  startConversation,
} from "../src/conversation.ts";
import { onlineAgent, sendCommand } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";
import { waitFor } from "../src/waiting.ts";

const open = visitors();
const answerMsMax = 40_000;

async function signedIn({ model, server, call }: Conversation) {
  const { page, context } = await open(server.url);
  await page.goto(await server.signIn());
  return { model, server, call, page, context };
}

/** Configures the model through the page, as an admin does, and opens its agent. */
async function configure(page: Page, url: string): Promise<void> {
  await onlineAgent(page, "assistant");
  await page.getByTestId("to-assistants").click();
  await page.getByTestId("assistant-add").click();
  await page.getByTestId("assistant-name").fill("Kelp");
  await page.getByTestId("assistant-endpoint").fill(url);
  await page.getByTestId("assistant-model").fill("test-model");
  await page.getByTestId("assistant-key").fill(modelKey);
  await page.getByTestId("assistant-save").click();
  await page.getByTestId("assistant").waitFor();
  expect(await page.content()).not.toContain(modelKey);
}

test("without a model a script answers and says so; an admin gives it one; answers are drawn without being trusted", async () => {
  const { model, server, page } = await signedIn(await startAssistants());
  const row = await onlineAgent(page, "assistant");
  await row.click();
  await sendCommand(page, "hello");
  await ended(page, "completed");
  expect(await replies(page).last().textContent()).toContain("I am a script, not a model");
  expect(await accessibilityFindings(page)).toEqual([]);

  await page.goto(server.url);
  await configure(page, model.url);
  await page.goto(server.url);
  await openChat(page);
  let fetched = 0;
  const canary = createServer((_request, response) => {
    fetched += 1;
    response.end();
  });
  await new Promise<void>((done) => canary.listen(0, "127.0.0.1", done));
  onTestFinished(() => void canary.close());
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => void dialogs.push(dialog.message()));
  const at = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/?q=secret`;
  model.say(
    [
      "# Title",
      "<img src=x onerror=alert(1)> <script>alert(2)</script> <svg onload=alert(3)>",
      `![picture](${at}) ![reference][r] [![linked](${at})](${at})`,
      "[bad](javascript:alert(4)) [bad](java&#115;cript:alert(5)) [bad](data:text/html,x) [bad](vbscript:x) [rel](/people)",
      "[good](https://example.com/a) <https://example.org> [mail](mailto:a@example.com)",
      "```js\nconst answer = 42;\n```",
      "| a | b |\n| --- | --- |\n| 1 | 2 |",
      `[r]: ${at}`,
    ].join("\n\n"),
  );
  await sendCommand(page, "show said");
  await ended(page, "completed");
  const reply = replies(page).last();
  await reply.locator("h1").waitFor();
  const seen = await reply.evaluate((element) => ({
    links: [...element.querySelectorAll("a")].map((one) => [one.getAttribute("href"), one.rel]),
    images: element.querySelectorAll("img, svg, script, iframe").length,
    handlers: [...element.querySelectorAll("*")].flatMap((one) =>
      [...one.attributes].filter(({ name }) => name.startsWith("on")),
    ).length,
    code: element.querySelectorAll("pre code .hljs-keyword").length,
    cells: element.querySelectorAll("td").length,
  }));
  const rel = "noopener noreferrer";
  expect(seen).toEqual({
    links: [
      [at, rel],
      ["https://example.com/a", rel],
      ["https://example.org/", rel],
      ["mailto:a@example.com", rel],
    ],
    images: 0,
    handlers: 0,
    code: 1,
    cells: 2,
  });
  expect(dialogs).toEqual([]);
  expect(fetched).toBe(0);
  expect(await accessibilityFindings(page)).toEqual([]);
});

test("[F65] [F69] [F74] twenty messages at once, a reload, a stop, a killed worker: each is shown once, in order, and ends", async () => {
  const { model, server, page, context } = await signedIn(await startConversation());
  await openChat(page);
  const count = 20;
  await sendCommand(page, "question 0");
  await exchanges(page).first().waitFor();
  for (let n = 1; n < count; n += 1) await sendCommand(page, `question ${n}`);
  const second = await context.newPage();
  await second.goto(page.url());
  const wanted = Array.from({ length: count }, (_, n) => [`question ${n}`, `You said: question ${n}.`]);
  const shown = async (one: Page) =>
    one.evaluate(() =>
      [...document.querySelectorAll('[data-testid="chat-exchange"][data-state="finished"]')].map((exchange) =>
        ["chat-question", "chat-reply"].map((id) =>
          [...exchange.querySelectorAll(`[data-testid="${id}"]`)].map((part) => part.textContent?.trim()).join("|"),
        ),
      ),
    );
  for (const one of [page, second]) {
    const all = await waitFor(
      async () => {
        const now = await shown(one);
        return now.length === count ? now : undefined;
      },
      { msMax: answerMsMax, what: "20 answers" },
    );
    expect(all).toEqual(wanted);
  }

  // A reload in mid-answer goes on where it was, and so does the other tab.
  await sendCommand(page, "long endlessly");
  for (let reloads = 0; reloads < 3; reloads += 1) {
    await replies(page).nth(count).waitFor();
    await page.reload();
  }
  // Stopped in one tab, kept in both.
  await second.getByTestId("command-stop").click();
  for (const one of [page, second]) {
    await ended(one, "interrupted");
    expect(await replies(one).count()).toBe(count + 1);
    expect(await replies(one).last().textContent()).toMatch(/^w1 w2/);
    expect(await one.getByTestId("typing").textContent()).toBe("");
  }

  // The worker dies in mid-answer: what was written is kept, the end is told, and it can be asked again.
  await sendCommand(page, "another endlessly");
  await replies(page)
    .nth(count + 1)
    .waitFor();
  const { pid } = JSON.parse(readFileSync(join(server.data, "agent/assistants/process.json"), "utf8")) as {
    pid: number;
  };
  process.kill(pid, "SIGKILL");
  await ended(page, "lost", 30_000);
  expect(await page.getByTestId("typing").textContent()).toBe("");
  model.hurry();
  await page.getByTestId("chat-retry").last().click();
  await waitFor(async () => ((await exchanges(page).count()) === count + 3 ? true : undefined), {
    msMax: answerMsMax,
    what: "the message again",
  });
  await ended(page, "completed");
  expect(await replies(page).last().textContent()).toMatch(/w40/);
});

test("[F74] a model that hangs, is busy, is cut or talks nonsense ends in words, and what it wrote is kept", async () => {
  const environment = { HOLDFAST_ASSISTANTS_FIRST_TOKEN_SECONDS: "2" };
  const { model, page } = await signedIn(await startConversation({ environment }));
  await openChat(page);
  const last = () => exchanges(page).last();
  const endsWith = async (text: string, words: RegExp): Promise<void> => {
    const before = await page.locator('[data-testid="chat-exchange"][data-state="finished"]').count();
    await sendCommand(page, text);
    await waitFor(
      async () =>
        (await page.locator('[data-testid="chat-exchange"][data-state="finished"]').count()) > before
          ? true
          : undefined,
      { msMax: answerMsMax, what: `the end of ${text}` },
    );
    expect(await last().textContent()).toMatch(words);
  };
  await endsWith("please hang", /did not begin within 2 s/);
  await endsWith("you are busy", /You said: you are busy\./);
  expect(model.requests("busy")).toBe(2);
  await endsWith("be cut", /Half[\s\S]*failed/);
  expect(model.requests("cut")).toBe(1);
  await endsWith("talk garbage", /sent what is no answer/);
});

test("[F68] [F57] a server killed in mid-answer: the answer is whole without a reload; of threads switched quickly the last is shown whole", async () => {
  const conversation = await startConversation();
  const { server, call, page } = await signedIn(conversation);
  await openChat(page);
  await sendCommand(page, "tell slowly");
  await replies(page).first().waitFor();
  await server.kill();
  await conversation.again();
  await ended(page, "completed");
  const words = Array.from({ length: 40 }, (_, n) => `w${n + 1}`).join(" ");
  expect((await replies(page).allTextContents()).map((text) => text.trim())).toEqual([words]);

  const { items } = (await call("agent.list", {})) as { items: { id: string; name: string }[] };
  const agent = items.find(({ name }) => name === "Kelp")?.id;
  const threads: string[] = [];
  for (const name of ["A", "B", "C"]) {
    const sent = await call("command.send", { agent, text: `I am ${name}` });
    threads.push(String(sent["thread"]));
  }
  const rows = threads.map((thread) => page.locator(`[data-testid="thread-row"][data-thread="${thread}"]`));
  for (const row of rows) await row.waitFor();
  for (const row of rows) await row.click({ noWaitAfter: true });
  await ended(page, "completed");
  await waitFor(async () => ((await replies(page).count()) === 1 ? true : undefined), {
    msMax: answerMsMax,
    what: "the thread of C alone",
  });
  expect(await page.getByTestId("chat-question").allTextContents()).toEqual(["I am C"]);
  expect(await replies(page).first().textContent()).toContain("You said: I am C.");
});
