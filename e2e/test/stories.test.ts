/**
 * The failures that this product exists for, each while a command prints 20,000 lines, with the fault at
 * a random moment, again and again: the server is killed and started again; the page is reloaded; the agent's link is
 * gone for 10 s. After each: every line once, in order, without a reload but the story's own; the command completes.
 * `npm run proof:stories` tells each ten times, the suite a few.
 */
import { hostname } from "node:os";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { newFolder, startAgent, startHoldfast } from "../src/holdfast.ts";
import { type LinesProbe, watchLines } from "../src/linesProbe.ts";
import { finishedOutcome, newestCommand, onlineAgent, sendCommand, terminalLines } from "../src/pageObjects.ts";
import { startProxy } from "../src/proxy.ts";
import { type RunReport, tellStory } from "../src/story.ts";
import { visitors } from "../src/visitors.ts";
import { pause, waitFor } from "../src/waiting.ts";

const lineCount = 20_000;
const runs = Number(process.env["STORY_RUNS"] ?? 3);
const missesMax = 10;
const storyMsMax = 400_000;
const outputMsMax = 60_000;
const cutMs = 10_000;
/** The fault falls where between so many and so many of the lines are on the page. */
const faultLinesMin = 200;
const faultLinesMax = 18_000;

/** About 3 s of output: 200 pieces of 100 lines. */
const command = 'for b in $(seq 0 199); do seq -f "line %05.0f" $((b*100+1)) $((b*100+100)); sleep 0.01; done';
const expectedLines = Array.from({ length: lineCount }, (_, index) => `line ${String(index + 1).padStart(5, "0")}`);

const open = visitors();

interface Watched {
  readonly page: Page;
  readonly probe: LinesProbe;
  close(): Promise<void>;
}

/** A page of its own, at the agent that will print. */
async function openAgent(url: string, agent: string): Promise<Watched> {
  const opened = await open(url);
  const probe = await watchLines(opened.context);
  await opened.page.goto(url);
  await (await onlineAgent(opened.page, agent)).click();
  await opened.page.getByTestId("composer-input").waitFor();
  return { page: opened.page, probe, close: opened.close };
}

/** Starts the command, and resolves at the drawn moment of its output. */
async function printUntil({ page, probe }: Watched, random: () => number): Promise<void> {
  const moment = faultLinesMin + Math.floor(random() * (faultLinesMax - faultLinesMin));
  await sendCommand(page, command);
  await waitFor(() => (probe.lines() >= moment ? true : undefined), {
    msMax: outputMsMax,
    what: `${moment} lines on the page`,
  });
}

/** What must hold after every fault, and what the run reports. */
async function expectWhole({ page, probe }: Watched, tookEffect: boolean): Promise<RunReport> {
  expect(await finishedOutcome(page, outputMsMax)).toBe("completed");
  const shown = await waitFor(
    async () => {
      const lines = (await terminalLines(page)).filter((line) => /^line \d{5}$/.test(line));
      return lines.length >= lineCount ? lines : undefined;
    },
    { msMax: outputMsMax, what: `${lineCount} lines on the page` },
  );
  // Not `toEqual`: its message would hold both lists.
  const wrong = shown.findIndex((line, index) => line !== expectedLines[index]);
  expect(wrong === -1 ? "in order" : `${shown[wrong]} as line ${wrong + 1}`).toBe("in order");
  expect(shown).toHaveLength(lineCount);
  return { lines: shown.length, tookEffect, pauseMs: probe.longestPauseMs() };
}

/** When this document began: another after a reload. */
async function documentStart(page: Page): Promise<number> {
  return await page.evaluate(() => performance.timeOrigin);
}

/*
 * Each run is an accident of its own, with a fresh agent and page: where the same ones met ten faults in a
 * minute, their waits would double from each to the next, as CL-3 wants it in a storm.
 */

test(
  "the server is killed in mid-output and started again",
  async () => {
    const story = { name: "server killed and restarted", runs, lanes: 2, missesMax };
    await tellStory(story, async (random) => {
      const first = await startHoldfast({ mode: "development" });
      const watched = await openAgent(first.url, hostname());
      await printUntil(watched, random);
      const before = await documentStart(watched.page);
      await first.kill();
      const tookEffect = watched.probe.lines() < lineCount;
      const second = await startHoldfast({ mode: "development", data: first.data, port: first.port });
      const report = await expectWhole(watched, tookEffect);
      expect(await documentStart(watched.page)).toBe(before);
      await watched.close();
      expect(await second.stop("SIGTERM")).toMatchObject({ code: 0 });
      return report;
    });
  },
  storyMsMax,
);

test(
  "the page is reloaded in mid-output",
  async () => {
    const server = await startHoldfast({ mode: "development" });
    await tellStory({ name: "page reloaded", runs, lanes: 1, missesMax }, async (random) => {
      const watched = await openAgent(server.url, hostname());
      await printUntil(watched, random);
      const state = await newestCommand(watched.page).getAttribute("data-state");
      const tookEffect = state === "started" && watched.probe.lines() < lineCount;
      await watched.page.reload();
      const report = await expectWhole(watched, tookEffect);
      await watched.close();
      return report;
    });
  },
  storyMsMax,
);

test(
  "the agent's link is gone for 10 s in mid-output",
  async () => {
    const server = await startHoldfast({ mode: "development" });
    const story = { name: "agent's link gone for 10 s", runs, lanes: 5, missesMax };
    let made = 0;
    await tellStory(story, async (random) => {
      made += 1;
      const name = `remote-${made}`;
      const proxy = await startProxy(server.port);
      const agent = startAgent(["--kind", "shell", "--name", name, "--server", proxy.url, "--state", newFolder()]);
      try {
        const watched = await openAgent(server.url, name);
        await printUntil(watched, random);
        const before = await documentStart(watched.page);
        // Half of them are cut, which both sides see at once; half go silent, which nobody sees.
        const isCut = random() < 0.5;
        if (isCut) proxy.cut();
        else proxy.blackhole();
        await pause(cutMs);
        const hit = isCut ? proxy.counters.connectionsCut > 0 : proxy.counters.bytesSwallowed > 0;
        const tookEffect = hit && watched.probe.lines() < lineCount;
        proxy.heal();
        const report = await expectWhole(watched, tookEffect);
        expect(await documentStart(watched.page)).toBe(before);
        await watched.close();
        return report;
      } finally {
        await agent.stop();
        await proxy.close();
      }
    });
  },
  storyMsMax,
);
