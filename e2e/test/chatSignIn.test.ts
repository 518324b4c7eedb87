/**
 * A sign-in that ends while an answer is being written: the page renews it, or waits for whoever renews it, and the answer
 * is whole, once, without a reload; what is written meanwhile goes out once.
 *
 * In the suite the end is made by the page's own weather. With `LONG=1` (`npm run proof:chat`) it comes by itself, a minute
 * after the sign-in, and the issuer is away until the server's patience is over, too (AU-8).
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";
import { type SupabaseDouble, startSupabase } from "../../packages/server/test/support/supabaseProject.ts";
import {
  countedWords,
  documentStart,
  echoed,
  ended,
  exchanges,
  expectOnce,
  loggedExchanges,
  openChat,
  replies,
  startConversation,
  threadOf,
} from "../src/conversation.ts";
import { newFolder } from "../src/holdfast.ts";
import { expectConnection, sendCommand } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";
import { waitFor } from "../src/waiting.ts";

const liveMsMax = 15_000;
const renewedMsMax = 30_000;
/** CL-7: a minute after the issuer's return everybody has asked again; after one question in vain it is 5 to 7 s. */
const backMsMax = 90_000;
/** The least that the setting takes: told 5 s before its end, so it is renewed every 5 s. */
const lifeSeconds = 10;
const renewals = 2;
const isLong = process.env["LONG"] === "1";
/** The least that a sign-in at a project lasts, and what the server waits then. */
const longestMsMax = 110_000;
const ada = { email: "ada@kelp.example", password: "canary password" };

const open = visitors();
let project: SupabaseDouble | undefined;
afterEach(async () => {
  await project?.[Symbol.asyncDispose]();
  project = undefined;
});

const pillState = (page: Page): Promise<string | null> =>
  page.getByTestId("connection-pill").getAttribute("data-state");

/** Whose connections it has met. */
async function endSignIn(page: Page): Promise<number> {
  const { connections } = await page.evaluate(async () => {
    const body = JSON.stringify({ weather: "expire" });
    const headers = { "content-type": "application/json" };
    return (await (await fetch("/api/weather", { method: "POST", headers, body })).json()) as { connections: number };
  });
  return connections;
}

const wordsShown = async (page: Page): Promise<number> =>
  countedWords((await replies(page).first().textContent()) ?? "");

test("[F74] [AU-7] a sign-in that ends twice in mid-answer is renewed over the connection that it is on", async () => {
  const environment = { HOLDFAST_SIGN_IN_LIFE_SECONDS: String(lifeSeconds) };
  const conversation = await startConversation({ environment });
  const { model, server } = conversation;
  const { page, context } = await open(server.url);
  await page.goto(await server.signIn());
  await openChat(page);
  const document = await documentStart(page);
  await sendCommand(page, "tell endlessly");
  await replies(page).first().waitFor();
  const ends = (): number => server.errors().split('"event":"connection.closed"').length;
  const before = ends();
  // Each renewal gives the browser another cookie.
  const cookies = new Set<string>();
  await waitFor(
    async () => {
      for (const { name, value } of await context.cookies()) if (name.includes("session")) cookies.add(value);
      return cookies.size > renewals ? true : undefined;
    },
    { msMax: renewedMsMax, what: `${renewals} renewals` },
  );
  const midway = await wordsShown(page);
  model.hurry();
  await ended(page, "completed");
  expect(ends()).toBe(before);
  const [answered] = await loggedExchanges(conversation, await threadOf(page));
  expect(countedWords(answered?.replies[0] ?? "")).toBeGreaterThan(midway);
  await expectOnce(conversation, [page], [{ question: "tell endlessly", replies: answered?.replies ?? [] }]);
  expect(await documentStart(page)).toBe(document);
});

test("[F74] [AU-8] [CL-7] its issuer is away when the sign-in ends in mid-answer: the answer goes on, what is written waits, and goes out once when the issuer is back", async () => {
  project = await startSupabase();
  project.people.set(ada.email, ada.password);
  if (isLong) project.tokenSeconds = 60;
  const data = newFolder();
  const supabase = { url: project.url, publishableKey: project.key, role: "operator" };
  writeFileSync(join(data, "config.json"), JSON.stringify({ signIn: { supabase } }));
  const conversation = await startConversation({ data });
  const { model, server } = conversation;
  const { page } = await open(server.url);
  await page.goto(server.url);
  await page.getByTestId("sign-in-email").fill(ada.email);
  await page.getByTestId("sign-in-password").fill(ada.password);
  await page.getByTestId("sign-in-by-password").click();
  await openChat(page);
  const document = await documentStart(page);
  await sendCommand(page, "tell endlessly");
  await replies(page).first().waitFor();

  project.fault = "500";
  if (isLong)
    await waitFor(async () => ((await pillState(page)) === "waiting" ? true : undefined), {
      msMax: longestMsMax,
      what: "the end of the server's patience",
    });
  else expect(await endSignIn(page), "the page's one connection").toBe(1);
  const atEnd = await wordsShown(page);
  await sendCommand(page, "and after that");
  const waiting = exchanges(page).last();
  // Until then, what is written goes on being shown.
  if (!isLong)
    await waitFor(async () => ((await wordsShown(page)) > atEnd + 10 ? true : undefined), {
      msMax: liveMsMax,
      what: "the answer, going on without a sign-in",
    });
  // AU-8: no request is heard without a credential, and none is lost.
  expect(await waiting.getAttribute("data-state")).toBe("saved");
  project.fault = undefined;
  await page
    .locator('[data-testid="chat-exchange"]:last-child:not([data-state="saved"])')
    .waitFor({ timeout: backMsMax });
  model.hurry();
  await ended(page, "completed");
  await expectConnection(page, "live", liveMsMax);
  const [first] = await loggedExchanges(conversation, await threadOf(page));
  expect(countedWords(first?.replies[0] ?? "")).toBeGreaterThan(atEnd + 10);
  const wanted = [{ question: "tell endlessly", replies: first?.replies ?? [] }, echoed("and after that")];
  await expectOnce(conversation, [page], wanted);
  expect(await documentStart(page)).toBe(document);
});
