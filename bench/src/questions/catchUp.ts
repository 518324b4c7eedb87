/** Reading on from far behind: how fast one reader comes back, and what a hundred at once do to the others. */
import { wait } from "../ports/monotonic.ts";
import { percentile, rounded, spreadOf } from "../statistics.ts";
import { publishTickMs, withWorld } from "../world.ts";
import { stretchOf, undisturbed } from "./measure.ts";
import type { Question, QuestionOptions } from "./question.ts";

const behind = 100_000;
const fillMsMax = 60_000;
const catchUpMsMax = 120_000;
const waking = 100;
/** Behind by this much each: 2.3 GB in all would measure the readers. */
const wakingBehind = 20_000;
const others = 50;
const ratePerSecond = 200;
const wholeEvery = 1;
const warmUpMs = 2_000;
const pauseMs = 300;
const goals = { eventsPerSecond: 500_000, eventsPerSecondFloor: 200_000, othersMs: 15 } as const;

export const catchUp: Question = {
  name: "catch-up",
  asks: `one reader ${behind} events behind, and ${waking} that wake at once beside ${others} that are live`,
  defaults: { seconds: 5, runs: 5 },
  async run(options) {
    const alone: Awaited<ReturnType<typeof oneBehind>>[] = [];
    const wakes: Awaited<ReturnType<typeof manyAwake>>[] = [];
    for (let turn = 0; turn < options.runs; turn += 1) {
      alone.push(
        await undisturbed(
          () => oneBehind(options),
          ({ cold, warm }) => Math.max(cold.cores.others, warm.cores.others),
        ),
      );
      wakes.push(
        await undisturbed(
          () => manyAwake(options),
          ({ cores }) => cores.others,
        ),
      );
    }
    return {
      findings: [
        ...(["cold", "warm"] as const).map((when) => ({
          what: `one reader, ${behind} events behind, ${when === "cold" ? "the server's first" : "the server's second"}`,
          unit: "events/s",
          seen: spreadOf(alone.map((run) => run[when].eventsPerSecond)),
          goal: goals.eventsPerSecond,
          floor: goals.eventsPerSecondFloor,
          atLeast: true,
        })),
        {
          what: `others' p99 while ${waking} wake`,
          unit: "ms",
          seen: spreadOf(wakes.map(({ p99Ms }) => p99Ms)),
          goal: goals.othersMs,
        },
        { what: "others' p99 before", unit: "ms", seen: spreadOf(wakes.map(({ quietP99Ms }) => quietP99Ms)) },
        {
          what: `all ${waking} together, ${wakingBehind} behind`,
          unit: "events/s",
          seen: spreadOf(wakes.map(({ eventsPerSecond }) => eventsPerSecond)),
        },
      ],
      versions: {},
      runs: [...alone, ...wakes],
      reservations: [],
    };
  },
};

/** Twice on one server: what it does for the first time, and again. */
function oneBehind({ say, profile, patienceMs }: QuestionOptions) {
  return withWorld({ peer: "holdfast", profile, patienceMs }, async (world) => {
    await world.publisher.call("fill", { events: behind - 1, msMax: fillMsMax });
    await wait(pauseMs);
    const once = async () => {
      const reader = await world.readers({ readers: 1, subscribe: false });
      const before = await world.mark();
      const [ms = Number.NaN] = await reader.call("wake", { from: "start", events: behind, msMax: catchUpMsMax });
      const after = await world.mark();
      const { cores } = stretchOf(before, after);
      const eventsPerSecond = rounded((behind / ms) * 1_000);
      say(
        `${behind} events in ${rounded(ms)} ms: ${eventsPerSecond} events/s, server ${cores.server} cores, others ${cores.others}`,
      );
      return { eventsPerSecond, ms: rounded(ms), cores };
    };
    return { cold: await once(), warm: await once() };
  });
}

function manyAwake({ seconds, say, profile, patienceMs }: QuestionOptions) {
  return withWorld({ peer: "holdfast", profile, patienceMs }, async (world) => {
    await world.publisher.call("fill", { events: wakingBehind - 1, msMax: fillMsMax });
    const steady = await world.readers({ readers: others, wholeEvery });
    const woken = await world.readers({ readers: waking, subscribe: false });
    await world.publisher.call("begin", { ratePerSecond, tickMs: publishTickMs, single: false });
    await wait(warmUpMs);
    await steady.call("mark", null);
    await wait(seconds * 1_000);
    const quiet = await steady.call("mark", null);
    const before = await world.mark();
    const took = await woken.call("wake", { from: "start", events: wakingBehind, msMax: catchUpMsMax });
    const during = await steady.call("mark", null);
    const { cores } = stretchOf(before, await world.mark());
    const p99 = (latencies: Float64Array): number => rounded(percentile([...latencies], 0.99) / 1_000);
    const wokenMs = Math.max(...took);
    const run = {
      p99Ms: p99(during.latenciesMicroseconds),
      quietP99Ms: p99(quiet.latenciesMicroseconds),
      maxMs: rounded(during.latenciesMicroseconds.reduce((most, one) => Math.max(most, one), 0) / 1_000),
      cores,
      wokenMs: rounded(wokenMs),
      eventsPerSecond: rounded((waking * wakingBehind * 1_000) / wokenMs),
    };
    say(
      `${waking} awake: others' p99 ${run.p99Ms} (before ${run.quietP99Ms}, worst ${run.maxMs}) ms; all back in ${run.wokenMs} ms; others ${run.cores.others} cores`,
    );
    return run;
  });
}
