/**
 * A long answer in a real page: 100 KB of Markdown, written into view while it is read.
 *
 * No task holds the page, memory stays where it was, and the end is followed exactly while the person is at it. In the
 * suite it comes 40 times as fast as a model writes; `npm run proof:screen` has 100 tokens a second of it, for three minutes.
 *
 * Seen red: each message drawn anew as one when it is finished (58 ms, third); the end followed wherever the person is.
 */
import { afterEach, expect, test } from "vitest";
import { endAll } from "../src/holdfast.ts";
import { tokenChars } from "../src/modelEndpoint.ts";
import { makeLongAnswer } from "../src/screen/longAnswer.ts";
import { probe, type Sightings } from "../src/screen/probe.ts";
import { startScene } from "../src/screen/scene.ts";
import { recordTasks } from "../src/screen/tasks.ts";
import { openWindows, type Tab } from "../src/screen/windows.ts";

const isWhole = process.env["SCREEN"] === "whole";
const chars = 100_000;
const tokensPerSecond = isWhole ? 100 : 4_000;
const seconds = chars / tokenChars / tokensPerSecond;
const timeoutMs = (2 * seconds + 120) * 1_000;
/** As browsers have it: a task that is longer is felt. */
const taskMsMax = 50;
/** In the suite, by the time of the processor: one or two may meet a collection or a core that is shared, not a third. */
const longestMsMax = 100;
/** What an answer may leave in the page's memory: its text, its blocks, its elements. */
const heapBytesMax = 24 * 1024 * 1024;
/** Half of it comes while the end is read, half while the person has gone up. */
const heldAfterChars = chars / 2;
const upPixels = 2_000;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  try {
    for (const close of closing.splice(0).reverse()) await close();
  } finally {
    await endAll();
  }
});

const log = `document.querySelector('[data-testid="chat-log"]')`;
const fromEnd = (tab: Tab): Promise<number> =>
  tab.evaluate(
    `(() => { const { scrollHeight, scrollTop, clientHeight } = ${log}; return scrollHeight - scrollTop - clientHeight; })()`,
  );
const isAtEnd = `${log}.scrollHeight - ${log}.scrollTop - ${log}.clientHeight < 80`;
/** Where the line is that is read amid the window, in pixels; what is laid out anew above it moves the scroll, not the line. */
const placeRead = "window.lineRead.getBoundingClientRect().top";
const beginReading = `(window.lineRead = document.elementFromPoint(innerWidth / 2, innerHeight / 2), ${placeRead})`;
const wordsShown = `[...document.querySelectorAll('[data-testid="chat-reply"]')].slice(1).map((one) => one.textContent).join("").match(/w\\d+/g)`;
const shownChars = (tab: Tab): Promise<number> => tab.evaluate(`${log}.textContent.length`);

async function heapBytes(tab: Tab): Promise<number> {
  await tab.command("HeapProfiler.collectGarbage");
  return ((await tab.command("Runtime.getHeapUsage")) as { usedSize: number }).usedSize;
}

test("an answer of 100 KB holds no page, and its end is followed while the person is at it", {
  timeout: timeoutMs,
}, async () => {
  const played = await startScene(0, 0);
  closing.push(() => played.close());
  const conversation = await played.begin("hello");
  const answer = makeLongAnswer(chars);
  played.model.stream(answer.text, tokensPerSecond, heldAfterChars);
  const opened = await openWindows();
  closing.push(() => opened.close());
  const tab = await opened.open(conversation.url, "window", `(${probe.toString()})()`);
  await tab.until(`document.querySelector('[data-testid="chat-exchange"][data-state="finished"]')`, "the first answer");
  const before = await heapBytes(tab);
  const endTasks = isWhole ? undefined : await recordTasks(opened.browser);
  const { longTasks: earlier } = await tab.evaluate<Sightings>("holdfastSightings");

  await played.person.call("command.send", { thread: conversation.thread, text: "streamed" });
  const reach = (count: number): Promise<void> =>
    tab.until(`${log}.textContent.length > ${count}`, `${count} characters of the answer`, (seconds + 60) * 1_000);
  await reach(heldAfterChars / 2);
  await tab.until(isAtEnd, "the end in view");

  // Up, to read: what comes stays below.
  await tab.evaluate(`void (${log}.scrollTop -= ${upPixels})`);
  const [place, then] = [await tab.evaluate<number>(beginReading), await shownChars(tab)];
  played.model.goOn();
  await reach(then + chars / 10);
  expect(Math.abs((await tab.evaluate<number>(placeRead)) - place)).toBeLessThanOrEqual(2);
  expect(await fromEnd(tab)).toBeGreaterThan(upPixels);

  // Back at the end: it is followed again.
  await tab.evaluate(`void (${log}.scrollTop = ${log}.scrollHeight)`);
  await tab.until(
    `document.querySelectorAll('[data-testid="chat-exchange"][data-state="finished"]').length === 2`,
    "the end of the answer",
    (seconds + 60) * 1_000,
  );
  await tab.until(`${wordsShown}.length >= ${answer.words}`, "all words of it");
  await tab.until(isAtEnd, "the end in view");
  const tasks = await endTasks?.();
  const { longTasks } = await tab.evaluate<Sightings>("holdfastSightings");
  const felt = longTasks.slice(earlier.length).map(({ ms }) => ms);
  const kept = (await heapBytes(tab)) - before;
  expect(await tab.evaluate(wordsShown)).toEqual(Array.from({ length: answer.words }, (_, n) => `w${n + 1}`));
  process.stdout.write(
    `long answer: ${chars} characters, ${tokensPerSecond} tokens/s; ${felt.length} tasks over 50 ms by the clock, the longest ${Math.round(Math.max(0, ...felt))} ms` +
      (tasks === undefined
        ? ""
        : `; of ${tasks.count} tasks the longest took ${tasks.longestMs.map((ms) => ms.toFixed(1)).join(", ")} ms of the processor, all ${Math.round(tasks.allMs)} ms`) +
      `; ${(kept / 1024 / 1024).toFixed(1)} MiB more in memory\n`,
  );
  if (tasks === undefined) expect(Math.max(0, ...felt)).toBeLessThanOrEqual(taskMsMax);
  else {
    expect(tasks.longestMs[0]).toBeLessThanOrEqual(longestMsMax);
    expect(tasks.longestMs[2]).toBeLessThanOrEqual(taskMsMax);
  }
  expect(kept).toBeLessThan(heapBytesMax);
});
