/**
 * One run of one plan: under faults, healed, converged, judged.
 *
 * What it returns is all that anybody needs of it: the figures, what took effect, the fingerprint, and where it went
 * wrong, if it did. It never throws for what the code under test does: that is a verdict.
 */
import { Standstill, type Turns } from "./core/scheduler.ts";
import type { TraceLine } from "./core/trace.ts";
import type { JudgeReport } from "./judge/judge.ts";
import { type Harm, Violation } from "./judge/violation.ts";
import { heal, perform } from "./plan/perform.ts";
import { type Plan, settleMs } from "./plan/plan.ts";
import { watchCommandQueues } from "./world/commandQueues.ts";
import { World } from "./world/world.ts";

/** I10 */
export const convergeMs = 60_000;

/** Between two looks whether queues are still being worked off (I8), and how long that may go on. */
const queuesLookMs = 10_000;
const queuesMsMax = 600_000;

export interface RunResult {
  readonly seed: number;
  readonly fingerprint: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly deliveries: number;
  readonly committed: number;
  readonly effects: Readonly<Record<string, number>>;
  readonly pairs: Readonly<Record<string, number>>;
  readonly failure: Failure | undefined;
}

export interface Failure {
  /** The broken invariant; `crash` where the code under test, or the simulation, threw; `standstill`: nothing ends any more. */
  readonly invariant: string;
  readonly message: string;
  /** Which of the ledger's harms it is, if any. */
  readonly harm: Harm | undefined;
  readonly at: number;
  readonly context: Readonly<Record<string, unknown>>;
  /** The last lines before it, where the run was watched. */
  readonly lines: readonly TraceLine[];
}

export interface RunOptions {
  readonly turns: Turns;
  /** Keeps the lines that a sequence is drawn from. */
  readonly isWatched?: boolean;
  /** What nobody caught: asked after each run, and emptied. */
  readonly uncaught: () => readonly unknown[];
}

export async function runPlan(plan: Plan, { turns, isWatched = false, uncaught }: RunOptions): Promise<RunResult> {
  const queues = watchCommandQueues();
  const world = await World.open(plan, turns, isWatched, queues.heard);
  const { scheduler } = world;
  const lane = scheduler.lane("plan");
  for (const step of plan.steps) scheduler.at(lane, step.at, () => perform(world, step));
  let failure: Failure | undefined;
  let report: JudgeReport | undefined;
  try {
    await scheduler.run(plan.durationMs);
    heal(world);
    await scheduler.run(plan.durationMs + settleMs);
    world.observe({ kind: "healed", at: scheduler.now });
    const convergedAt = plan.durationMs + settleMs + convergeMs;
    await scheduler.run(convergedAt);
    for (let at = convergedAt; queues.isMoving(at) && at < convergedAt + queuesMsMax; at += queuesLookMs)
      await scheduler.run(at + queuesLookMs);
    const [thrown] = uncaught();
    if (thrown !== undefined) throw thrown;
    for (const { client, saved } of world.people)
      if (saved > 0) world.violated("I10", `${client} still has ${saved} saved requests that are not decided`);
    report = world.judge.finish(true);
    if (world.violation !== undefined) throw world.violation;
  } catch (error) {
    failure = failureOf(uncaught()[0] ?? error, world);
  }
  for (const person of world.people) person.tally();
  const deliveries = world.people.reduce((sum, person) => sum + person.deliveries, 0);
  const result: RunResult = {
    seed: plan.seed,
    fingerprint: world.trace.fingerprint,
    virtualMs: scheduler.now,
    events: scheduler.events,
    deliveries,
    committed: report?.committed ?? 0,
    effects: Object.fromEntries(world.effects),
    pairs: Object.fromEntries(world.pairs),
    failure,
  };
  await world.close();
  return result;
}

function failureOf(error: unknown, world: World): Failure {
  const isViolation = error instanceof Violation;
  return {
    invariant: isViolation ? error.invariant : error instanceof Standstill ? "standstill" : "crash",
    message:
      isViolation || error instanceof Standstill ? error.message : String((error as Error | undefined)?.stack ?? error),
    harm: isViolation ? error.harm : undefined,
    at: world.scheduler.now,
    context: isViolation ? error.context : {},
    lines: world.trace.lines.slice(-2_000),
  };
}
