/** A short soak: credentials of ten seconds are renewed again and again, and nobody notices. */
import { expect, test } from "vitest";
import { runSoak } from "../src/processes/soak.ts";
import { describeSoak } from "../src/processes/soakReport.ts";

const testMsMax = 200_000;

test(
  "credentials that end are renewed in band: no connection ends, nothing is refused, nothing is missed",
  async () => {
    const clients = 10;
    const report = await runSoak({
      seed: 1,
      runMs: 20_000,
      clients,
      agents: 2,
      linesPerSecond: 40,
      signInSeconds: 10,
      hasPages: process.env["E2E_CHROMIUM"] !== "",
      say: () => {},
    });
    process.stdout.write(`${describeSoak(report).join("\n")}\n`);
    expect(report.judged.violations.map(({ message }) => message)).toEqual([]);
    expect(report.wrongReaders).toEqual([]);
    expect({ reconnects: report.reconnects, refusals: report.refusals }).toEqual({ reconnects: 0, refusals: 0 });
    // Each lives 10 s and is renewed 5 s before.
    expect(report.refreshes).toBeGreaterThanOrEqual(2 * clients);
    expect(report.deliveries).toBeGreaterThan(1_000);
  },
  testMsMax,
);
