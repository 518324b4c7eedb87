/**
 * Tabs of one real browser at a real server: one socket for all, and nothing lost or repeated whatever dies.
 *
 * Every scenario runs twice: with a shared worker, and with a leading tab where there is none.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { crashPage } from "../src/browser.ts";
import type { StoragePage } from "../src/tabs/storagePage.ts";
import {
  ledgerOf,
  makeTabsWorld,
  outcomesOf,
  readTo,
  savedIn,
  say,
  stateOf,
  type TabsWorld,
  upTo,
  withdraw,
} from "../src/tabs/world.ts";
import { waitFor } from "../src/waiting.ts";

let world: TabsWorld;
let said = 0;

beforeAll(async () => {
  world = await makeTabsWorld();
});
afterAll(async () => {
  await world?.close();
});

describe.each(["worker", "leader"] as const)("%s", (way) => {
  beforeEach(async () => {
    for (const page of world.context.pages()) await page.close();
    said = (await world.log()).length;
    await waitFor(() => (world.sockets.open === 0 ? true : undefined), { msMax: 10_000, what: "all sockets closed" });
    world.sockets.most = 0;
  });

  const words = (count: number): string[] => {
    said += count;
    return Array.from({ length: count }, (_, index) => `word ${said - count + index + 1}`);
  };

  it("[OP-2] [CL-6] three tabs read one log over one socket", async () => {
    const pages = [await world.open(way), await world.open(way), await world.open(way)];
    const [first] = pages;
    if (first === undefined) throw new Error("no page");
    await say(first, words(20));
    for (const page of pages) expect((await readTo(page, said)).offsets).toEqual(upTo(said));
    expect(world.sockets.most).toBe(1);
    expect(world.pageErrors).toEqual([]);
    expect(Object.values(await outcomesOf(first))).toEqual(Array(20).fill("said"));
    expect((await ledgerOf(first)).resets).toEqual([]);
  });

  it("[ST-2] tabs at different cursors, while events flow: each gets the rest once, in order", async () => {
    const early = await world.open(way);
    await say(early, words(30));
    await readTo(early, said);
    const epoch = (await ledgerOf(early)).cursor?.epoch ?? "";
    const middle = said - 15;
    const late = await world.open(way, `&epoch=${epoch}&offset=${middle}`);
    for (let burst = 0; burst < 10; burst += 1) await say(burst % 2 === 0 ? early : late, words(20));
    expect((await readTo(early, said)).offsets).toEqual(upTo(said));
    expect((await readTo(late, said)).offsets).toEqual(upTo(said).slice(middle));
    expect(world.sockets.most).toBe(1);
    expect(world.pageErrors).toEqual([]);
  });

  it("[ST-2] a duplicated tab reads on from where it was copied", async () => {
    const original = await world.open(way);
    await say(original, words(20));
    await readTo(original, said);
    const [copy] = await Promise.all([
      world.context.waitForEvent("page"),
      original.evaluate(() => void window.open(location.href)),
    ]);
    await copy.waitForFunction(() => "tab" in window);
    await say(copy, words(20));
    await say(original, words(20));
    for (const page of [original, copy]) expect((await readTo(page, said)).offsets).toEqual(upTo(said));
    expect(world.sockets.most).toBe(1);
  });

  it("[CL-6] ten reloads in a burst: nothing lost, nothing twice, at most one socket", async () => {
    const page = await world.open(way);
    await world.append(words(10));
    for (let reload = 0; reload < 10; reload += 1) {
      await world.append(words(3));
      // By the page itself: the debugger's own reload is refused while the document before is being replaced.
      const navigated = page.waitForEvent("framenavigated");
      await page.evaluate(() => void setTimeout(() => location.reload(), 0));
      await navigated;
    }
    await page.waitForFunction(() => "tab" in window);
    expect((await readTo(page, said)).offsets).toEqual(upTo(said));
    expect((await ledgerOf(page)).resets).toEqual([]);
    expect(world.sockets.most).toBe(1);
  });

  it("[I2] the tab with the socket is killed while requests are under way: each takes effect once", async () => {
    const first = await world.open(way);
    await readTo(first, 0);
    const second = await world.open(way);
    const third = await world.open(way);
    for (let burst = 0; burst < 5; burst += 1) await say(burst % 2 === 0 ? second : third, words(10));
    await (way === "worker" ? world.killWorker() : crashPage(first));
    for (let burst = 0; burst < 5; burst += 1) await say(burst % 2 === 0 ? second : third, words(10));
    for (const page of [second, third]) expect((await readTo(page, said)).offsets).toEqual(upTo(said));
    for (const page of [second, third])
      await waitFor(
        async () => (Object.values(await outcomesOf(page)).every((one) => one === "said") ? true : undefined),
        {
          msMax: 10_000,
          what: "every request answered",
        },
      );
    expect(world.sockets.most).toBe(1);
    const log = await world.log();
    expect(new Set(log).size).toBe(log.length);
    expect(log).toHaveLength(said);
    expect(world.pageErrors).toEqual([]);
  });

  it("[RQ-3] a durable request that waits unsent survives the reload, is shown as saved, and goes out once", async () => {
    const page = await world.open(way, "&storage=yes");
    await waitFor(async () => ((await stateOf(page)).kind === "live" ? true : undefined), {
      msMax: 10_000,
      what: "live",
    });
    world.cut();
    const [word, other] = words(2);
    await say(page, [word ?? "", other ?? ""], true);
    await waitFor(async () => ((await savedIn(page)).filter(({ isKept }) => isKept).length === 2 ? true : undefined), {
      msMax: 10_000,
      what: "saved",
    });
    await page.reload();
    await page.waitForFunction(() => "tab" in window);
    const saved = await waitFor(
      async () => {
        const all = await savedIn(page);
        return all.length === 2 ? all : undefined;
      },
      { msMax: 10_000, what: "saved after the reload" },
    );
    expect(saved.map(({ params, isSent }) => [params, isSent])).toEqual([
      [{ words: [word] }, false],
      [{ words: [other] }, false],
    ]);
    await withdraw(page, saved[1]?.ticket);
    await waitFor(async () => ((await savedIn(page)).length === 1 ? true : undefined), {
      msMax: 10_000,
      what: "withdrawn",
    });
    await page.reload();
    await page.waitForFunction(() => "tab" in window);
    world.mend();
    said -= 1;
    expect((await readTo(page, said)).offsets).toEqual(upTo(said));
    await waitFor(async () => ((await savedIn(page)).length === 0 ? true : undefined), {
      msMax: 10_000,
      what: "answered",
    });
    const log = await world.log();
    expect(log.filter((entry) => entry === word)).toHaveLength(1);
    expect(log).not.toContain(other);
  });
});

describe("IndexedDB", () => {
  // The same cases as for memory and a file: `packages/client/test/storage.test.ts`.
  it("[ST-6] [RQ-3] [OP-5] keeps the contract of a storage", async () => {
    const page = await world.openStorage();
    const findings = await page.evaluate(async () => {
      const { contract } = window as unknown as { contract: StoragePage };
      const found: Record<string, string | undefined> = {};
      for (const title of contract.titles) found[title] = (await contract.run(title)) ?? "kept";
      return found;
    });
    expect(Object.keys(findings).length).toBeGreaterThan(5);
    for (const [title, finding] of Object.entries(findings)) expect(`${title}: ${finding}`).toBe(`${title}: kept`);
    await page.close();
  });

  it("gives the outbox to one owner: another page's is refused until the first is gone", async () => {
    const first = await world.openStorage();
    const second = await world.openStorage();
    const open = (page: Page) =>
      page.evaluate(() =>
        (window as unknown as { contract: StoragePage }).contract.open("shared").then(
          () => "owner",
          () => "refused",
        ),
      );
    expect(await open(first)).toBe("owner");
    expect(await open(second)).toBe("refused");
    await crashPage(first);
    await waitFor(async () => ((await open(second)) === "owner" ? true : undefined), {
      msMax: 10_000,
      what: "the lock",
    });
    await second.close();
  });
});
