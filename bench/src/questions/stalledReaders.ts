/**
 * A hundred readers that stop reading, and a hundred that do not: the server's memory, and the others' latency.
 *
 * Two runs a turn, one with the stall and one without; what counts is their difference. The stall is long
 * enough for more than the kernel's own buffers hold, and it counts only if the server saw it.
 */
import { wait } from "../ports/monotonic.ts";
import { percentile, rounded, spreadOf } from "../statistics.ts";
import { publishTickMs, withWorld } from "../world.ts";
import { settled, stretchOf, undisturbed } from "./measure.ts";
import type { Question, QuestionOptions } from "./question.ts";

const stalling = 100;
const steady = 100;
/** Bigger and steady, so that a stall of seconds is more than TCP's buffers (6 MiB and 4 MiB on Linux). */
const eventBytes = 1_000;
const ratePerSecond = 1_000;
const wholeEvery = 10;
const warmUpMs = 3_000;
/** The onset: when the kernel's buffers are full and the server must begin to hold back, some seconds in. */
const sliceMs = 500;
const settleMsMax = 60_000;
const mebibyte = 1_048_576;
const goals = { memoryMiB: 5, memoryFloorMiB: 20, settledShare: 1.2, onsetMs: 15 } as const;

interface Run {
  readonly stall: boolean;
  readonly growthMiB: number;
  /** The steady readers' p99 of each slice of the stall. */
  readonly p99Slices: readonly number[];
  /** Of the last third. */
  readonly settledP99Ms: number;
  /** The worst slice. */
  readonly onsetP99Ms: number;
  readonly stalledSockets: number;
  readonly sentMiB: number;
  readonly othersCores: number;
}

export const stalledReaders: Question = {
  name: "stalled-readers",
  asks: `${stalling} readers stop reading: the server's memory, and the latency of ${steady} others`,
  defaults: { seconds: 20, runs: 3 },
  async run(options) {
    const pairs: { without: Run; with: Run }[] = [];
    for (let turn = 0; turn < options.runs; turn += 1) {
      pairs.push({
        without: await undisturbed(
          () => runOnce(false, options),
          ({ othersCores }) => othersCores,
        ),
        with: await undisturbed(
          () => runOnce(true, options),
          ({ othersCores }) => othersCores,
        ),
      });
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
          what: "others' p99 at the onset (the worst half second)",
          unit: "ms",
          seen: spreadOf(pairs.map((pair) => pair.with.onsetP99Ms)),
          goal: goals.onsetMs,
        },
        {
          what: "the worst half second without a stall",
          unit: "ms",
          seen: spreadOf(pairs.map((pair) => pair.without.onsetP99Ms)),
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
      const begun = await world.mark();
      if (stall) await stopping.call("stall", stalling);
      const slices: Float64Array[] = [];
      for (let ms = 0; ms < seconds * 1_000; ms += sliceMs) {
        await wait(sliceMs);
        slices.push((await others.call("mark", null)).latenciesMicroseconds);
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
        settledP99Ms: p99(slices.slice(-Math.ceil(slices.length / 3))),
        onsetP99Ms: Math.max(...slices.map((slice) => p99([slice]))),
        stalledSockets,
        sentMiB: rounded(((ended.publisher.sent - begun.publisher.sent) * eventBytes) / mebibyte),
      };
      say(
        `${stall ? "with" : "without"} stall: +${run.growthMiB.toFixed(1)} MiB, p99 settled ${run.settledP99Ms}, worst ${run.onsetP99Ms} ms, ` +
          `${stalledSockets} sockets held back after ${run.sentMiB} MiB each; others ${run.othersCores} cores`,
      );
      return run;
    },
  );
}
