/**
 * Worker processes of a campaign: started, fed, and ended with it.
 *
 * A worker that dies fails what it was asked: a run that takes its process with it is a finding, not an accident.
 * Invariant: whatever happens, no worker outlives `close`.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { FromWorker, ToWorker } from "../campaign/messages.ts";
import type { EightHours } from "../eightHours.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../run.ts";

/** Of a worker's young objects: most of a run's are dead before it ends. */
const youngMegabytes = 64;
/** Seeds that a worker is given at once: small enough that both end together. */
const seedsAtOnce = 10;
/** A run that takes longer than this has lost its way. */
const runMsMax = 120_000;
const eightHoursMsMax = 900_000;

export interface Campaign {
  /** Runs all of them on all workers; `heard` is told of each. */
  seeds(from: number, count: number, heard: (result: RunResult) => void): Promise<void>;
  /** Runs these one after the other on one worker, until `heard` has heard enough. */
  each(seeds: Iterable<number>, heard: (result: RunResult) => boolean): Promise<void>;
  plan(plan: Plan, isWatched: boolean): Promise<RunResult>;
  eightHours(seed: number): Promise<EightHours>;
  close(): void;
}

export function openCampaign(workers: number, planted: string | undefined): Campaign {
  const all = Array.from({ length: workers }, () => openWorker(planted));
  return {
    async seeds(from, count, heard) {
      let next = from;
      const feed = async (worker: Worker): Promise<void> => {
        while (next < from + count) {
          const first = next;
          next = Math.min(from + count, first + seedsAtOnce);
          const seeds = Array.from({ length: next - first }, (_, index) => first + index);
          await worker.ask({ kind: "seeds", seeds }, (message) => {
            if (message.kind === "result") heard(message.result);
          });
        }
      };
      await Promise.all(all.map(feed));
    },
    async each(seeds, heard) {
      for (const seed of seeds) {
        let isEnough = false;
        await all[0]?.ask({ kind: "seeds", seeds: [seed] }, (message) => {
          if (message.kind === "result") isEnough = heard(message.result);
        });
        if (isEnough) return;
      }
    },
    async plan(plan, isWatched) {
      let found: RunResult | undefined;
      await all[0]?.ask({ kind: "plan", plan, isWatched }, (message) => {
        if (message.kind === "result") found = message.result;
      });
      if (found === undefined) throw new Error("the worker gave no result");
      return found;
    },
    async eightHours(seed) {
      let found: EightHours | undefined;
      await all[0]?.ask({ kind: "eightHours", seed }, (message) => {
        if (message.kind === "eightHours") found = message.seen;
      });
      if (found === undefined) throw new Error("the worker gave no result");
      return found;
    },
    close() {
      for (const { child } of all) child.kill("SIGKILL");
    },
  };
}

interface Worker {
  readonly child: ChildProcess;
  ask(asked: ToWorker, heard: (message: FromWorker) => void): Promise<void>;
}

function openWorker(planted: string | undefined): Worker {
  const child = fork(new URL("../simWorkerMain.ts", import.meta.url), planted === undefined ? [] : [planted], {
    execArgv: ["--disable-warning=ExperimentalWarning", `--max-semi-space-size=${youngMegabytes}`],
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let listen = (_message: FromWorker): void => {};
  let fail = (_error: Error): void => {};
  let died: Error | undefined;
  child.on("message", (message: FromWorker) => listen(message));
  child.on("exit", (code, signal) => {
    died = new Error(`a worker of the simulation ended with ${signal ?? `code ${code}`}`);
    fail(died);
  });
  return {
    child,
    ask: (asked, heard) =>
      new Promise((resolve, reject) => {
        if (died !== undefined) {
          reject(died);
          return;
        }
        const msMax = asked.kind === "eightHours" ? eightHoursMsMax : runMsMax;
        let timer = setTimeout(late, msMax);
        function late(): void {
          child.kill("SIGKILL");
          reject(new Error(`a run took longer than ${msMax} ms: ${JSON.stringify(asked).slice(0, 200)}`));
        }
        fail = (error) => {
          clearTimeout(timer);
          reject(error);
        };
        listen = (message) => {
          clearTimeout(timer);
          if (message.kind === "done") {
            resolve();
            return;
          }
          timer = setTimeout(late, msMax);
          heard(message);
        };
        child.send(asked);
      }),
  };
}
