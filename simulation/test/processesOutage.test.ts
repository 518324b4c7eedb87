/** Short outages of the database under real processes: nobody is closed, nothing is lost, and all of it comes back. */
import { describe, expect, test } from "vitest";
import { runOutage } from "../src/processes/outage.ts";
import { describeOutage, shortfallsOfOutage } from "../src/processes/outageReport.ts";

const testMsMax = 200_000;

describe("PostgreSQL behind a network that fails", () => {
  test(
    "[I5][AD-2][AD-4][ST-7] cut off, hung, and slowed × 50: no connection ends, no agent goes offline, all go on",
    async () => {
      const report = await runOutage({
        kinds: ["cut", "hung", "slow"],
        faultMs: 10_000,
        clients: 60,
        agents: 3,
        senders: 2,
        say: () => {},
      });
      process.stdout.write(`${describeOutage(report).join("\n")}\n`);
      expect(shortfallsOfOutage(report)).toEqual([]);
      const told = report.faults[0]?.lines.find(({ event }) => event === "store.unavailable")?.fields;
      expect(told).toMatchObject({
        store: "postgres",
        host: "127.0.0.1",
        port: expect.any(Number),
        since: expect.any(Number),
        waiting: expect.any(Number),
        error: { name: expect.any(String), message: expect.stringContaining("ECONNRESET") },
      });
      expect(report.judged.deliveries).toBeGreaterThan(100);
    },
    testMsMax,
  );
});
