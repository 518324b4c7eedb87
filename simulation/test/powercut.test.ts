/** Power cuts under the embedded store, where file systems can be mounted; and that these cuts cut. */
import { afterAll, describe, expect, it } from "vitest";
import { runCuts } from "../src/powercut/cutShell.ts";
import { whyNoMounts } from "../src/powercut/ports/mounts.ts";

const cycles = 2;
const msMax = 300_000;
const missing = whyNoMounts();

describe.runIf(missing === undefined)("a store whose power is cut", () => {
  it("[I3][ST-1] opens again and has all that it acknowledged, once and in order", { timeout: msMax }, async () => {
    const report = await runCuts({ cycles });
    expect(report.breaches).toEqual([]);
    expect(report).toMatchObject({ cuts: cycles, opened: cycles, lost: 0, repeated: 0, reordered: 0, phantom: 0 });
    expect(report.acknowledged).toBeGreaterThan(cycles * 20);
  });

  it("[I3] the same cut takes acknowledged events from a store that does not sync: the cuts do cut", {
    timeout: msMax,
  }, async () => {
    const report = await runCuts({ cycles: 1, weakened: "off" });
    expect(report.lost).toBeGreaterThan(0);
  });
});

afterAll(() => {
  if (missing !== undefined) process.stdout.write(`not run: power cuts, since ${missing}\n`);
});
