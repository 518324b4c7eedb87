/**
 * A hundred readers that stop reading, and a hundred that do not: the server's memory, and the others' latency.
 *
 * Two runs a turn, one with the stall and one without; what counts is their difference. The stall is long
 * enough for more than the kernel's own buffers hold, and it counts only if the server saw it. It begins when the
 * run is settled: what the measure itself did to it, a collection of the server's memory and the readers' handing over
 * of what they took so far, is over by then, and counts for nothing. The _onset_ is when the server begins to hold
 * back: from the half second before the first socket is held back until a second after the last one is.
 */
import { wait } from "../ports/monotonic.ts";
import { percentile, rounded, spreadOf } from "../statistics.ts";
import { publishTickMs, type World, type WorldMark, withWorld } from "../world.ts";
import { settled, stretchOf, undisturbed } from "./measure.ts";
import type { Question, QuestionOptions } from "./question.ts";

const stalling = 100;
const steady = 100;
/** Bigger and steady, so that a stall of seconds is more than TCP's buffers (6 MiB and 4 MiB on Linux). */
const eventBytes = 1_000;
const ratePerSecond = 1_000;
const wholeEvery = 10;
const warmUpMs = 3_000;
const sliceMs = 500;
/** After what the measure does to the run, before anything counts. */
const settleMs = 2_000;
/** How long the onset lasts after the last socket was held back. */
const onsetSlicesAfter = 2;
const settleMsMax = 60_000;
const mebibyte = 1_048_576;
const goals = { memoryMiB: 5, memoryFloorMiB: 20, settledShare: 1.2, onsetMs: 15 } as const;

interface Run {
  readonly stall: boolean;
  readonly growthMiB: number;
  /** The steady readers' p99 of each slice of the stall. */
  readonly p99Slices: readonly number[];
  /** How many sockets were held back at the end of each. */
  readonly heldBack: readonly number[];
  /** Of the last third. */
  readonly settledP99Ms: number;
  /** The steady readers' p99 of some neighbouring slices. */
  readonly p99Of: (span: Span) => number;
  readonly stalledSockets: number;
  readonly sentMiB: number;
  readonly othersCores: number;
}

/** Slices, the last one not included. */
interface Span {
  readonly from: number;
  readonly to: number;
}

interface Pair {
  readonly without: Run;
  readonly with: Run;
  readonly onset: Span;
  /** The steady readers' p99 of the same span of both. */
  readonly onsetP99Ms: { readonly without: number; readonly with: number };
}

export const stalledReaders: Question = {
  name: "stalled-readers",
  asks: `${stalling} readers stop reading: the server's memory, and the latency of ${steady} others`,
  defaults: { seconds: 20, runs: 3 },
  async run(options) {
    const pairs: Pair[] = [];
    const once = (stall: boolean): Promise<Run> =>
      undisturbed(
        () => runOnce(stall, options),
        ({ othersCores }) => othersCores,
      );
    for (let turn = 0; turn < options.runs; turn += 1) {
      const pair = pairOf(await once(false), await once(true));
      const { onset, onsetP99Ms } = pair;
      options.say(
        `onset: ${(onset.from * sliceMs) / 1_000} to ${(onset.to * sliceMs) / 1_000} s after the stall: p99 ${onsetP99Ms.with} ms, without a stall ${onsetP99Ms.without} ms`,
      );
      pairs.push(pair);
    }
    const reservations = pairs.some((pair) => pair.with.stalledSockets < stalling)
      ? [
          `only ${pairs.map((pair) => pair.with.stalledSockets).join(", ")} sockets were held back: stall longer with --seconds`,
        ]
      : [];
    return {
      findings: [
        {
          what: "memory growth beyond that without a stall",
          unit: "MiB",
          seen: spreadOf(pairs.map((pair) => pair.with.growthMiB - pair.without.growthMiB)),
          goal: goals.memoryMiB,
          floor: goals.memoryFloorMiB,
        },
        {
          what: "others' settled p99, against that without a stall",
          unit: "×",
          seen: spreadOf(pairs.map((pair) => pair.with.settledP99Ms / pair.without.settledP99Ms)),
          goal: goals.settledShare,
        },
        {
          what: "others' p99 at the onset",
          unit: "ms",
          seen: spreadOf(pairs.map(({ onsetP99Ms }) => onsetP99Ms.with)),
          goal: goals.onsetMs,
        },
        {
          what: "the same span without a stall",
          unit: "ms",
          seen: spreadOf(pairs.map(({ onsetP99Ms }) => onsetP99Ms.without)),
        },
        {
          what: "the worst half second of the whole stall",
          unit: "ms",
          seen: spreadOf(pairs.map((pair) => Math.max(...pair.with.p99Slices))),
        },
        {
          what: "the worst half second without a stall",
          unit: "ms",
          seen: spreadOf(pairs.map((pair) => Math.max(...pair.without.p99Slices))),
        },
        {
          what: "settled p99 without a stall",
          unit: "ms",
          seen: spreadOf(pairs.map((pair) => pair.without.settledP99Ms)),
        },
        { what: "settled p99 with the stall", unit: "ms", seen: spreadOf(pairs.map((pair) => pair.with.settledP99Ms)) },
        { what: "sockets held back", unit: "", seen: spreadOf(pairs.map((pair) => pair.with.stalledSockets)) },
      ],
      versions: {},
      runs: pairs,
      reservations,
    };
  },
};

/** The onset as the run with the stall saw it; the whole, where not all sockets were held back. */
function pairOf(without: Run, stalled: Run): Pair {
  const { heldBack } = stalled;
  const first = heldBack.findIndex((held) => held > 0);
  const all = heldBack.findIndex((held) => held >= stalling);
  const onset: Span =
    all < 0
      ? { from: 0, to: heldBack.length }
      : { from: Math.max(0, first - 1), to: Math.min(heldBack.length, all + 1 + onsetSlicesAfter) };
  return { without, with: stalled, onset, onsetP99Ms: { without: without.p99Of(onset), with: stalled.p99Of(onset) } };
}

async function runOnce(stall: boolean, { seconds, profile, patienceMs, say }: QuestionOptions): Promise<Run> {
  return withWorld(
    { peer: "holdfast", eventBytes, collect: true, watchSockets: true, profile, patienceMs },
    async (world) => {
      const others = await world.readers({ readers: steady, wholeEvery });
      const stopping = await world.readers({ readers: stalling });
      const start = await world.mark();
      await world.publisher.call("begin", { ratePerSecond, tickMs: publishTickMs, single: false });
      await wait(warmUpMs);
      const before = await world.server.call("usage", { collect: true });
      const begun = await settle(world);
      if (stall) await stopping.call("stall", stalling);
      const slices: Float64Array[] = [];
      const heldBack: number[] = [];
      for (let ms = 0; ms < seconds * 1_000; ms += sliceMs) {
        await wait(sliceMs);
        slices.push((await others.call("mark", null)).latenciesMicroseconds);
        heldBack.push(await world.server.call("stalledSockets", null));
      }
      const stalledSockets = await world.server.call("stalledSockets", null);
      const after = await world.server.call("usage", { collect: true });
      const ended = await world.mark();
      const { cores } = stretchOf(begun, ended);
      await stopping.call("go", null);
      await world.publisher.call("end", null);
      const published = (await world.mark()).publisher.sent - start.publisher.sent;
      if (!(await settled(world, () => published, settleMsMax)))
        throw new Error(`the readers that went on were not at the head within ${settleMsMax} ms`);
      stretchOf(begun, await world.mark());
      const p99 = (of: readonly Float64Array[]): number =>
        rounded(
          percentile(
            of.flatMap((slice) => [...slice]),
            0.99,
          ) / 1_000,
        );
      const run: Run = {
        stall,
        othersCores: cores.others,
        growthMiB: (after.residentBytes - before.residentBytes) / mebibyte,
        p99Slices: slices.map((slice) => p99([slice])),
        heldBack,
        settledP99Ms: p99(slices.slice(-Math.ceil(slices.length / 3))),
        p99Of: ({ from, to }) => p99(slices.slice(from, to)),
        stalledSockets,
        sentMiB: rounded(((ended.publisher.sent - begun.publisher.sent) * eventBytes) / mebibyte),
      };
      say(
        `${stall ? "with" : "without"} stall: +${run.growthMiB.toFixed(1)} MiB, p99 settled ${run.settledP99Ms}, worst half second ${Math.max(...run.p99Slices)} ms, ` +
          `${stalledSockets} sockets held back after ${run.sentMiB} MiB each; others ${run.othersCores} cores`,
      );
      return run;
    },
  );
}

/**
 * What was taken so far is handed over, and forgotten: seconds of latencies keep the readers busy. Then a slice as those
 * that count, so that the first of these is like the others.
 */
async function settle(world: World): Promise<WorldMark> {
  await wait(settleMs);
  await world.mark();
  await wait(sliceMs);
  return await world.mark();
}
