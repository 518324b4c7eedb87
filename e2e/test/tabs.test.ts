/**
 * Tabs of one real browser at a real server: one socket for all, and nothing lost or repeated whatever dies.
 *
 * Every scenario runs twice: with a shared worker, and with a leading tab where there is none.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ledgerOf, makeTabsWorld, outcomesOf, readTo, say, type TabsWorld, upTo } from "../src/tabs/world.ts";
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
});
