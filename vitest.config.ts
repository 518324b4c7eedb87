/**
 * How the tests run: four projects, told apart by what they need.
 *
 * `unit` needs nothing but Node and runs in parallel. `tidy` is the repository's own rules as tests. `e2e`
 * starts the real product and a real browser, with long limits: one file after the other where the machine's pace is what
 * is looked at, three beside each other (`e2e beside`) elsewhere. Nothing is ever
 * retried: a test that fails once has failed (RELIABILITY.md "flakes").
 */
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Three times what the slowest takes on two quiet cores: a machine that is busy is no failure, one that hangs is. */
const unitTimeoutMsMax = 60_000;
const tidyTimeoutMsMax = 60_000;
const e2eTimeoutMsMax = 240_000;
/** What these see depends on how fast the machine is: each has it for itself. */
const alone = ["line", "longAnswer", "page", "screen", "tabs"].map((name) => `e2e/test/${name}.test.ts`);
/** The others wait for faults most of their time. */
const besideWorkersMax = 3;
/** One more than cores: a third of these files wait for deadlines of real sockets and processes. */
const unitWorkersMax = availableParallelism() + 1;
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
          include: alone,
          testTimeout: e2eTimeoutMsMax,
          hookTimeout: e2eTimeoutMsMax,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          retry: 0,
        },
      },
      {
        test: {
          name: "e2e beside",
          globalSetup: "./scripts/pageSetup.mjs",
          include: ["e2e/test/**/*.test.ts", withProcesses],
          exclude: alone,
          testTimeout: e2eTimeoutMsMax,
          hookTimeout: e2eTimeoutMsMax,
          maxWorkers: besideWorkersMax,
          sequence: { groupOrder: 2 },
          retry: 0,
        },
      },
    ],
  },
});
