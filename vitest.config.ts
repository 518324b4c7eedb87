/**
 * How the tests run: three projects, told apart by what they need.
 *
 * `unit` needs nothing but Node and runs in parallel. `tidy` is the repository's own rules as tests. `e2e`
 * starts the real product and a real browser: one file after the other, with long limits. Nothing is ever
 * retried: a test that fails once has failed (RELIABILITY.md "flakes").
 */
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const unitTimeoutMsMax = 20_000;
const tidyTimeoutMsMax = 60_000;
const e2eTimeoutMsMax = 240_000;
const unitWorkersMax = Math.max(2, availableParallelism() - 1);
/** Real processes and a browser, as in e2e. */
const withProcesses = "simulation/test/processes{Chaos,Nodes,Outage,Soak}.test.ts";

export default defineConfig({
  test: {
    retry: 0,
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/test/**/*.test.{ts,tsx}", "bench/test/**/*.test.ts", "simulation/test/**/*.test.ts"],
          exclude: [withProcesses],
          // Vitest leaves a core alone: of two that is half.
          maxWorkers: unitWorkersMax,
          testTimeout: unitTimeoutMsMax,
          hookTimeout: unitTimeoutMsMax,
          retry: 0,
        },
      },
      {
        test: {
          name: "tidy",
          include: ["tidy/test/**/*.test.ts"],
          testTimeout: tidyTimeoutMsMax,
          hookTimeout: tidyTimeoutMsMax,
          retry: 0,
        },
      },
      {
        test: {
          name: "e2e",
          globalSetup: "./scripts/pageSetup.mjs",
          include: ["e2e/test/**/*.test.ts", withProcesses],
          testTimeout: e2eTimeoutMsMax,
          hookTimeout: e2eTimeoutMsMax,
          fileParallelism: false,
          maxWorkers: 1,
          retry: 0,
        },
      },
    ],
  },
});
