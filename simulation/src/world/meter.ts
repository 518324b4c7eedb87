/**
 * Looks once a second at what is bounded (I6) and at what nodes believe of their store.
 *
 * What waits for one connection is bounded by ST-11's mark and the run that was written when it was passed; a node may
 * call its store down only while something was wrong with it lately (AD-2). It only looks, and costs no draw.
 */
import type { Node } from "../../../packages/server/src/node.ts";
import type { Process } from "../core/process.ts";
import type { Scheduler } from "../core/scheduler.ts";
import type { Observation } from "../judge/observation.ts";
import type { StoreWeather } from "./nodeStore.ts";

const everyMs = 1_000;
/** ST-11's 256 KiB, one batch of a producer, one snapshot, and answers. */
const unsentBytesMax = 256 * 1024 + 3 * 1024 * 1024;
/** A call may have 10 s, and a breaker closes at the first probe that succeeds: one each 5 s, of 2 s at most. */
const recoveredMsMax = 25_000;
/** The latency of a store that is not yet slow, ms. */
const usualLatencyMs = 50;

export interface MeterParts {
  readonly scheduler: Scheduler;
  readonly storeWeather: StoreWeather;
  readonly nodes: readonly {
    readonly name: string;
    readonly process: Process;
    readonly node: { readonly context: Pick<Node["context"], "health"> } | undefined;
  }[];
  /** What the machines hold for each connection, by who has it. */
  readonly connections: () => Iterable<{ readonly who: string; readonly unsentBytes: number }>;
  readonly observe: (observation: Observation) => void;
}

export function startMeter({ scheduler, storeWeather, nodes, connections, observe }: MeterParts): void {
  const lane = scheduler.lane("meter");
  const measured = (what: string, value: number, max: number): void =>
    observe({ kind: "measured", at: scheduler.now, what, value, max });
  let sickAt = 0;

  const look = (): void => {
    const { isDown, isFull, hangsUntil, latencyMs, unknownCommits, crash } = storeWeather;
    const isSick = isDown || isFull || latencyMs > usualLatencyMs || unknownCommits.length > 0 || crash !== undefined;
    // Trouble may be shorter than the time between two looks.
    sickAt = isSick || scheduler.now < hangsUntil ? scheduler.now : Math.max(sickAt, storeWeather.feltAt);
    for (const { name, node, process } of nodes) {
      if (process.isStopped || scheduler.now - process.stoppedAt < recoveredMsMax) continue;
      const isHealthy = scheduler.now - sickAt > recoveredMsMax;
      if (isHealthy && node?.context.health.degraded !== undefined)
        measured(`stores that ${name} calls down though nothing is wrong with them`, 1, 0);
    }
    for (const { who, unsentBytes } of connections())
      if (unsentBytes > 0) measured(`bytes that wait for ${who}`, unsentBytes, unsentBytesMax);
    scheduler.at(lane, scheduler.now + everyMs, look);
  };
  scheduler.at(lane, everyMs, look);
}
