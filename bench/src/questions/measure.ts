/**
 * One measured stretch of publishing and reading: marks at both ends, and the difference.
 *
 * Invariant: what is divided is of the same stretch, and nothing that was lost or came out of order passes.
 */
import { monotonicMicroseconds, wait } from "../ports/monotonic.ts";
import { percentile, rounded } from "../statistics.ts";
import type { World, WorldMark } from "../world.ts";

export interface Stretch {
  readonly deliveries: number;
  /** Server CPU for each delivery, µs. */
  readonly cpuMicrosecondsPerDelivery: number;
  readonly eventsPerFrame: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly samples: number };
  /** Cores in use: 1 is one core, the whole time. `others`: whatever else ran on the machine, the kernel included. */
  readonly cores: {
    readonly server: number;
    readonly publisher: number;
    readonly readers: readonly number[];
    readonly others: number;
  };
  /** Deliveries as a share of what was published to these readers in the stretch. */
  readonly deliveredShare: number;
}

/** A process that used more of a core than this measures itself, not the server. */
const saturatedCore = 0.9;

export async function measure(world: World, seconds: number): Promise<Stretch> {
  const before = await world.mark();
  await wait(seconds * 1_000);
  return stretchOf(before, await world.mark());
}

export function stretchOf(before: WorldMark, after: WorldMark): Stretch {
  const faults = [...after.publisher.faults, ...after.readers.flatMap((group) => group.faults)];
  if (faults.length > 0) throw new Error(`events were lost, repeated or refused: ${faults.slice(0, 3).join("; ")}`);
  const sum = (pick: (group: WorldMark["readers"][number]) => number): number =>
    after.readers.reduce((total, group) => total + pick(group), 0) -
    before.readers.reduce((total, group) => total + pick(group), 0);
  const deliveries = sum(({ received }) => received);
  const ms = (after.publisher.atMicroseconds - before.publisher.atMicroseconds) / 1_000;
  const latencies = after.readers.flatMap(({ latenciesMicroseconds }) => [...latenciesMicroseconds]);
  const core = (end: { usage: { cpuMs: number } }, start: { usage: { cpuMs: number } } | undefined): number =>
    rounded((end.usage.cpuMs - (start?.usage.cpuMs ?? 0)) / ms);
  const cpuMs = (mark: WorldMark): number =>
    mark.server.cpuMs + mark.publisher.usage.cpuMs + mark.readers.reduce((total, { usage }) => total + usage.cpuMs, 0);
  const ownMs = cpuMs(after) - cpuMs(before);
  return {
    deliveries,
    cpuMicrosecondsPerDelivery: rounded(((after.server.cpuMs - before.server.cpuMs) * 1_000) / deliveries),
    eventsPerFrame: rounded(deliveries / sum(({ frames }) => frames)),
    latencyMs: {
      p50: rounded(percentile(latencies, 0.5) / 1_000),
      p99: rounded(percentile(latencies, 0.99) / 1_000),
      samples: latencies.length,
    },
    cores: {
      server: rounded((after.server.cpuMs - before.server.cpuMs) / ms),
      publisher: core(after.publisher, before.publisher),
      readers: after.readers.map((group, index) => core(group, before.readers[index])),
      others: rounded(Math.max(0, after.machineCpuMs - before.machineCpuMs - ownMs) / ms),
    },
    deliveredShare: deliveries / (after.publisher.sent - before.publisher.sent),
  };
}

/** Cores that others used beside a run; above this it says little of us. */
const disturbedCores = 0.3;
const attemptsMax = 3;

/**
 * Runs, and again where others disturbed it, whatever it showed: the least disturbed of at most
 * {@link attemptsMax}. Judged by the others' CPU alone, never by a result.
 */
export async function undisturbed<Run>(run: () => Promise<Run>, othersOf: (done: Run) => number): Promise<Run> {
  let best = await run();
  for (let attempt = 2; attempt <= attemptsMax && othersOf(best) > disturbedCores; attempt += 1) {
    const next = await run();
    if (othersOf(next) < othersOf(best)) best = next;
  }
  return best;
}

export function isSaturated({ cores }: Stretch): boolean {
  return cores.publisher > saturatedCore || cores.readers.some((core) => core > saturatedCore);
}

/** Waits until every reader of every group has what was published; false where it takes longer. */
export async function settled(world: World, eventsEach: () => number, msMax: number): Promise<boolean> {
  const until = monotonicMicroseconds() + msMax * 1_000;
  for (;;) {
    const mark = await world.mark();
    if (mark.readers.every(({ receivedMin }) => receivedMin >= eventsEach())) return true;
    if (monotonicMicroseconds() > until) return false;
    await wait(settledEveryMs);
  }
}

const settledEveryMs = 50;
