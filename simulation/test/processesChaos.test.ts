/** Chaos for half a minute, with everybody: the product's own processes, a browser, and the judge. */
import { expect, test } from "vitest";
import { runChaos } from "../src/processes/chaos.ts";
import { describeChaos } from "../src/processes/chaosReport.ts";

const testMsMax = 200_000;

test(
  "kills, cuts, stalls and stops lose, repeat and reorder nothing, and all converges",
  async () => {
    const lines: string[] = [];
    const report = await runChaos({
      seed: 20,
      runMs: 25_000,
      everyMs: 600,
      agents: 2,
      clients: 4,
      hasPages: process.env["E2E_CHROMIUM"] !== "",
      say: (line) => lines.push(line),
    });
    process.stdout.write(`${describeChaos(report).join("\n")}\n`);
    expect(report.violations.map(({ message }) => message)).toEqual([]);
    expect(report.unsettled, lines.join("\n")).toBeUndefined();
    expect(report.faults).toBeGreaterThanOrEqual(8);
    expect(report.committed + report.deliveries).toBeGreaterThan(3_000);
    expect(report.commands).toBeGreaterThan(0);
  },
  testMsMax,
);
