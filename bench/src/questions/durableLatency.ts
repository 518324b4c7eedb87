/** From publish to delivery with every event durable first, against the disk's fsync measured in the same stretch. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { monotonicMicroseconds, wait } from "../ports/monotonic.ts";
import { percentile, rounded, spreadOf } from "../statistics.ts";
import { withWorld } from "../world.ts";
import { measure, undisturbed } from "./measure.ts";
import type { Question } from "./question.ts";

const readers = 50;
const ratePerSecond = 1_000;
/** One event a message, one message a millisecond: below the 200 messages/s of a connection (AD-5). */
const publishers = 8;
const tickMs = 1;
const wholeEvery = 5;
const warmUpMs = 2_000;
const syncEveryMs = 25;
const pageBytes = 4096;
const fsyncTimesMax = 3;
const goalOverMs = 5;

export const durableLatency: Question = {
  name: "durable-latency",
  asks: `publish to delivery p99, ${readers} readers × ${ratePerSecond}/s, each event durable first, against the disk's fsync`,
  defaults: { seconds: 10, runs: 5 },
  async run({ seconds, runs: turns, profile, patienceMs, say }) {
    const runs: {
      p50: number;
      p99: number;
      fsyncP50: number;
      fsyncP99: number;
      over: number;
      server: number;
      others: number;
    }[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      const once = () =>
        withWorld({ peer: "holdfast", publishers, profile, patienceMs }, async (world) => {
          await world.readers({ readers, wholeEvery });
          await world.publisher.call("begin", { ratePerSecond, tickMs, single: true });
          await wait(warmUpMs);
          const disk = syncs(join(world.folder, "fsync.probe"), seconds);
          const stretch = await measure(world, seconds);
          const syncsMs = await disk;
          const { p50, p99 } = stretch.latencyMs;
          const fsyncP50 = rounded(percentile(syncsMs, 0.5));
          const run = {
            p50,
            p99,
            fsyncP50,
            fsyncP99: rounded(percentile(syncsMs, 0.99)),
            over: rounded(p99 - fsyncTimesMax * fsyncP50),
            server: stretch.cores.server,
            others: stretch.cores.others,
          };
          say(`p50 ${p50} p99 ${p99} ms; fsync p50 ${run.fsyncP50} p99 ${run.fsyncP99} ms; others ${run.others} cores`);
          return run;
        });
      runs.push(await undisturbed(once, ({ others }) => others));
    }
    return {
      findings: [
        {
          what: `p99 beyond ${fsyncTimesMax} × the median fsync`,
          unit: "ms",
          seen: spreadOf(runs.map(({ over }) => over)),
          goal: goalOverMs,
        },
        { what: "p50", unit: "ms", seen: spreadOf(runs.map(({ p50 }) => p50)) },
        { what: "p99", unit: "ms", seen: spreadOf(runs.map(({ p99 }) => p99)) },
        { what: "fsync p50, same stretch", unit: "ms", seen: spreadOf(runs.map(({ fsyncP50 }) => fsyncP50)) },
        { what: "fsync p99, same stretch", unit: "ms", seen: spreadOf(runs.map(({ fsyncP99 }) => fsyncP99)) },
      ],
      versions: {},
      runs,
      reservations: [],
    };
  },
};

/** Appends a page and syncs it, again and again, beside the store's own files: ms each. */
async function syncs(file: string, seconds: number): Promise<number[]> {
  const page = Buffer.alloc(pageBytes, 1);
  const descriptor = openSync(file, "w");
  const took: number[] = [];
  try {
    const until = monotonicMicroseconds() + seconds * 1_000_000;
    while (monotonicMicroseconds() < until) {
      writeSync(descriptor, page);
      const before = monotonicMicroseconds();
      fdatasyncSync(descriptor);
      took.push((monotonicMicroseconds() - before) / 1_000);
      await wait(syncEveryMs);
    }
    return took;
  } finally {
    closeSync(descriptor);
  }
}
