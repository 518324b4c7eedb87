/**
 * The simulation itself: production code under one virtual clock, the same to the byte, and right in every seed.
 *
 * Workers are processes of their own, as in `npm run sim`. Seen red: fingerprints with `randomUUID` left to the
 * platform; seeds with the hub that forgot live readers (regressions/), and with each planted bug of `npm run
 * sim:planted`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { add, faultsOf, makeTally } from "../src/campaign/tally.ts";
import { drawPlan } from "../src/plan/draw.ts";
import type { Plan } from "../src/plan/plan.ts";
import type { RunResult } from "../src/run.ts";
import { openCampaign } from "../src/shell/campaignShell.ts";

const suiteMsMax = 120_000;
const regressions = join(import.meta.dirname, "..", "regressions");
const campaign = openCampaign(2, undefined);
afterAll(() => campaign.close());

const messages = (results: readonly RunResult[]): string[] =>
  results.flatMap(({ seed, failure }) => (failure === undefined ? [] : [`seed ${seed}: ${failure.message}`]));

describe("the simulated world", () => {
  it("is the same to the byte, twice: no clock, die or thread of the platform decides anything [REL-I20]", {
    timeout: suiteMsMax,
  }, async () => {
    const prints = async (): Promise<string[]> => {
      const found: RunResult[] = [];
      await campaign.seeds(1, 20, (result) => found.push(result));
      return found
        .toSorted((one, other) => one.seed - other.seed)
        .map(({ seed, fingerprint }) => `${seed} ${fingerprint}`);
    };
    const first = await prints();
    expect(new Set(first).size).toBe(20);
    expect(await prints()).toEqual(first);
  });

  it("holds every invariant under faults, and converges when they end [I10]", { timeout: suiteMsMax }, async () => {
    const tally = makeTally();
    const results: RunResult[] = [];
    await campaign.seeds(101, 60, (result) => {
      results.push(result);
      add(tally, result);
    });
    expect(messages(results)).toEqual([]);
    // A run in which nothing happened proves nothing.
    expect(tally.deliveries).toBeGreaterThan(50_000);
    expect(faultsOf(tally)).toBeGreaterThan(3_000);
  });

  it("draws a plan from a seed, and it survives JSON", () => {
    expect(drawPlan(7)).toEqual(JSON.parse(JSON.stringify(drawPlan(7))));
    expect(drawPlan(7)).not.toEqual(drawPlan(8));
  });

  it.each(readdirSync(regressions).filter((name) => name.endsWith(".json")))(
    "does not fall again where it fell: %s",
    async (name) => {
      const plan = JSON.parse(readFileSync(join(regressions, name), "utf8")) as Plan;
      expect(messages([await campaign.plan(plan, false)])).toEqual([]);
    },
  );
});
