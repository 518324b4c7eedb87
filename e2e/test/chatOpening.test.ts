/**
 * Messages that are sent before the server is ready: from the moment at which the link is back, at each step of the opening,
 * while every piece of it is late by chance. Nothing is known by a wait: each goes out when it may, once, in its order.
 *
 * `LATE_MS` is the most that a piece is late; 5,000 in `npm run proof:chat`.
 */
import { beforeAll, expect, test } from "vitest";
import {
  documentStart,
  echoed,
  ended,
  exchanges,
  expectOnce,
  openChat,
  startConversation,
  threadOf,
} from "../src/conversation.ts";
import { expectConnection, sendCommand } from "../src/pageObjects.ts";
import { type Proxy as FaultyLink, startProxy } from "../src/proxy.ts";
import { makeRandom, seed } from "../src/story.ts";
import { visitors } from "../src/visitors.ts";
import { pause, waitFor } from "../src/waiting.ts";

const lateMsMax = Number(process.env["LATE_MS"] ?? 600);
const backMsMax = 60_000 + 18 * lateMsMax;
/** Sent so far apart that each step of the opening has some. */
const apartMs = lateMsMax / 2;
const messagesMax = 40;

let link: FaultyLink;
beforeAll(async () => {
  link = await startProxy(0);
  return () => link.close();
});
const open = visitors([], () => link.port);

test("[F67] [OP-1] written from the first moment of a link on which everything is late: each message once, in order", async () => {
  const conversation = await startConversation();
  link.retarget(conversation.server.port);
  const { page } = await open(conversation.server.url);
  await page.goto(await conversation.server.signIn());
  await openChat(page);
  await sendCommand(page, "question 0");
  await threadOf(page);
  await ended(page, "completed");
  const document = await documentStart(page);
  const random = makeRandom("late pieces");
  const questions = ["question 0"];
  const say = async (): Promise<void> => {
    questions.push(`question ${questions.length}`);
    await sendCommand(page, questions.at(-1) ?? "");
  };

  link.cut();
  await say();
  link.slow(() => random() * lateMsMax);
  link.heal();
  const isOpen = async (): Promise<boolean> =>
    (await page.locator('[data-testid="chat-exchange"]:not([data-state="saved"])').count()) > 1;
  while (!(await isOpen()) && questions.length < messagesMax) {
    await say();
    await pause(apartMs);
  }
  await say();
  await waitFor(async () => ((await isOpen()) ? true : undefined), { msMax: backMsMax, what: "an answer" });
  const { piecesSlowed } = link.counters;
  link.slow(undefined);
  await waitFor(async () => ((await exchanges(page).count()) === questions.length ? true : undefined), {
    msMax: backMsMax,
    what: `${questions.length} messages`,
  });
  await page
    .locator('[data-testid="chat-exchange"]:not([data-outcome="completed"])')
    .first()
    .waitFor({ state: "detached", timeout: backMsMax });
  await expectConnection(page, "live", backMsMax);
  await expectOnce(conversation, [page], questions.map(echoed));
  expect(await documentStart(page)).toBe(document);
  expect(piecesSlowed).toBeGreaterThan(5);
  process.stdout.write(
    `opening: ${questions.length - 1} messages, ${piecesSlowed} pieces late by up to ${lateMsMax} ms, E2E_SEED=${seed}\n`,
  );
});
