/**
 * An answer on a machine that is slower than the model: what is written goes on being drawn, in larger steps, and all of it
 * is there at the end.
 *
 * Seen red: with React's `useDeferredValue`, which lets an answer stand still for as long as it is quicker than its drawing.
 */
import { expect, test } from "vitest";
import {
  countedWords,
  ended,
  expectOnce,
  loggedExchanges,
  openChat,
  replies,
  startConversation,
  threadOf,
} from "../src/conversation.ts";
import { sendCommand } from "../src/pageObjects.ts";
import { visitors } from "../src/visitors.ts";
import { pause, waitFor } from "../src/waiting.ts";

const slowdown = 20;
const question = "tell endlessly";
/** Between two looks; the model says ten words a second. */
const lookApartMs = 3_000;
const looks = 3;
const shownMsMax = 30_000;

const open = visitors();

test(`[F63] an answer is drawn on a machine ${slowdown} times slower than this one`, async () => {
  const conversation = await startConversation();
  const { page, context } = await open(conversation.server.url);
  await page.goto(await conversation.server.signIn());
  await openChat(page);
  await sendCommand(page, question);
  const shown = async (): Promise<number> => countedWords((await replies(page).first().textContent()) ?? "");
  await replies(page).first().waitFor();
  await waitFor(async () => ((await shown()) > 20 ? true : undefined), { msMax: shownMsMax, what: "a paragraph" });

  const debug = await context.newCDPSession(page);
  await debug.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  let before = await shown();
  for (let look = 1; look <= looks; look += 1) {
    await pause(lookApartMs);
    const now = await shown();
    expect(now, `look ${look}`).toBeGreaterThan(before);
    before = now;
  }
  await debug.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  conversation.model.hurry();
  await ended(page, "completed");
  const [logged] = await loggedExchanges(conversation, await threadOf(page));
  expect(countedWords(logged?.replies[0] ?? "")).toBeGreaterThan(before);
  await expectOnce(conversation, [page], [{ question, replies: logged?.replies ?? [] }]);
});
