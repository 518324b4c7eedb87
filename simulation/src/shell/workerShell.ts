/** A worker's end of the wire to its campaign: asks come in, results go out, one run at a time. */
import type { FromWorker, ToWorker } from "../campaign/messages.ts";
import { runEightHours } from "../eightHours.ts";
import { drawPlan } from "../plan/draw.ts";
import type { Plan } from "../plan/plan.ts";
import { runPlan } from "../run.ts";
import { sealPlatform } from "./sealShell.ts";
import { immediateTurns } from "./turnsShell.ts";

export function serveWorker(): void {
  const seal = sealPlatform();
  const say = (message: FromWorker): void => void process.send?.(message);

  const run = async (plan: Plan, isWatched: boolean): Promise<void> => {
    seal.begin(plan.seed, isWatched);
    const result = await runPlan(plan, { turns: immediateTurns, uncaught: seal.uncaught, isWatched });
    say({ kind: "result", result });
  };

  const serve = async (asked: ToWorker): Promise<void> => {
    switch (asked.kind) {
      case "seeds":
        for (const seed of asked.seeds) await run(drawPlan(seed), false);
        break;
      case "plan":
        await run(asked.plan, asked.isWatched);
        break;
      case "eightHours":
        seal.begin(asked.seed, true);
        say({ kind: "eightHours", seen: await runEightHours(asked.seed, immediateTurns, seal.uncaught) });
        break;
    }
    say({ kind: "done" });
  };

  let last = Promise.resolve();
  process.on("message", (asked: ToWorker) => {
    last = last.then(() => serve(asked));
  });
  // Whoever asked is gone.
  process.on("disconnect", () => process.exit(0));
  say({ kind: "ready" });
}
