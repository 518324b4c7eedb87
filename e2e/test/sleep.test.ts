/**
 * A machine that sleeps: every renderer of the browser is stopped while the server lives on, and then goes on as if
 * no time had passed. Tabs with a shared worker and tabs with a leading one sleep side by side.
 *
 * 40 s are longer than the server's patience (LV-2: 30 s), so it has closed the sockets that sleep. `npm run
 * proof:sleep` sleeps for 100 s, longer than for hidden tabs too. A sleep is part of the story, no wait for a race.
 */
import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";
import { renderersOf } from "../src/browser.ts";
import { endProcess } from "../src/processes.ts";
import { makeTabsWorld, outcomesOf, readTo, say, type TabsWorld, upTo } from "../src/tabs/world.ts";
import { pause, waitFor } from "../src/waiting.ts";

const sleepMs = Number(process.env["SLEEP_MS"] ?? 40_000);
/** What the others do meanwhile. */
const appendEveryMs = 1_000;
const wordsAtOnce = 5;
const settleMsMax = 30_000;

const worlds: TabsWorld[] = [];
const stopped: number[] = [];
afterEach(async () => {
  for (const pid of stopped.splice(0)) endProcess(pid, "SIGCONT");
  for (const world of worlds.splice(0)) await world.close();
});

/** How a request ended that was said before the sleep. */
async function outcomeOf(page: Page, word: string): Promise<string> {
  const look = async (): Promise<string | undefined> => {
    const { [word]: outcome } = await outcomesOf(page);
    return outcome === "waits" ? undefined : outcome;
  };
  return await waitFor(look, { msMax: settleMsMax, what: `an end of "${word}"` });
}

test("[LV-3] [LV-4] [CL-6] [I1] [I2] tabs that sleep lose and repeat nothing, and share one socket when they wake", async () => {
  const sleepers = await Promise.all(
    (["worker", "leader"] as const).map(async (way) => {
      const world = await makeTabsWorld();
      worlds.push(world);
      const pages = [await world.open(way), await world.open(way)];
      return { way, world, pages, said: 0 };
    }),
  );
  for (const one of sleepers) {
    const words = Array.from({ length: 20 }, (_, index) => `before ${index}`);
    for (const page of one.pages) await say(page, words.splice(0, 10));
    one.said = 20;
    for (const page of one.pages) await readTo(page, one.said);
  }

  for (const { world, pages } of sleepers) {
    // Said, and asleep before the answer can have come to the page.
    for (const [index, page] of pages.entries()) await say(page, [`asleep ${index}`]);
    for (const pid of await renderersOf(world.browser)) {
      stopped.push(pid);
      endProcess(pid, "SIGSTOP");
    }
  }
  const wakesAt = performance.now() + sleepMs;
  for (let round = 0; performance.now() < wakesAt; round += 1) {
    const words = Array.from({ length: wordsAtOnce }, (_, index) => `meanwhile ${round} ${index}`);
    for (const one of sleepers) {
      await one.world.append(words);
      one.said += words.length;
    }
    await pause(appendEveryMs);
  }
  const openAsleep = sleepers.map(({ world }) => world.sockets.open);
  for (const pid of stopped.splice(0)) endProcess(pid, "SIGCONT");

  for (const { way, world, pages, said } of sleepers) {
    for (const page of pages) await readTo(page, said);
    const asleep = await Promise.all(pages.map((page, index) => outcomeOf(page, `asleep ${index}`)));
    // Before the log is read by a socket of its own.
    const { most, opened } = world.sockets;
    const log = await world.log();
    for (const page of pages) {
      const { offsets, resets } = await readTo(page, log.length);
      expect([offsets, resets], way).toEqual([upTo(log.length), []]);
    }
    expect(new Set(log).size, way).toBe(log.length);
    for (const [index, outcome] of asleep.entries()) {
      // RQ-3: its 30 s went by asleep. What was sent may have happened; what is known to have happened did.
      const times = log.filter((word) => word === `asleep ${index}`).length;
      if (outcome === "said") expect(times, way).toBe(1);
      else expect(outcome, way).toMatch(times === 1 ? /outcome is unknown/ : /outcome is unknown|was not sent/);
    }
    expect(most, way).toBe(1);
    expect(world.pageErrors, way).toEqual([]);
    process.stdout.write(
      `sleep: ${way}: ${sleepMs} ms, ${log.length} events in each tab, ${opened} sockets, one at a time; ${asleep.join("; ")}\n`,
    );
  }
  // It was a sleep: the server had given them up.
  expect(openAsleep).toEqual([0, 0]);
});
