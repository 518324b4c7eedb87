/** What the server pays for one delivery, and how late it is: side by side with the peers, in alternating runs. */
import type { PeerName } from "../peers/peers.ts";
import { wait } from "../ports/monotonic.ts";
import { spreadOf } from "../statistics.ts";
import { withWorld } from "../world.ts";
import { isSaturated, measure, type Stretch, settled, undisturbed } from "./measure.ts";
import type { Finding, Question, QuestionOptions } from "./question.ts";

interface Load {
  readonly readers: number;
  readonly rate: number;
  /** `even`: single events from many publishers in turn, each ms; `bursts`: one publisher, what 5 ms gave together. */
  readonly arrival: "even" | "bursts";
  /** Of NATS's cost. */
  readonly goal: number;
  readonly floor: number;
}

const loads: readonly Load[] = [
  { readers: 500, rate: 2_000, arrival: "even", goal: 0.7, floor: 1 },
  { readers: 50, rate: 2_000, arrival: "even", goal: 0.9, floor: 1.2 },
  { readers: 500, rate: 200, arrival: "even", goal: 0.9, floor: 1.2 },
  { readers: 500, rate: 2_000, arrival: "bursts", goal: 0.7, floor: 1 },
  { readers: 50, rate: 2_000, arrival: "bursts", goal: 0.9, floor: 1.2 },
];
/** Of Socket.IO's, where a frame carries at least {@link sharedEventsMin} events. */
const socketIoGoal = 0.1;
const sharedEventsMin = 8;
const arrivals = { even: { tickMs: 1, single: true }, bursts: { tickMs: 5, single: false } } as const;
/** 2,000/s of single events from 16 stay below Holdfast's 200 messages/s a connection (AD-5); the peers have no such limit. */
const evenPublishers = 16;
const warmUpMs = 2_000;
const settleMsMax = 5_000;
const wholeReaders = 10;
const keptUpShare = 0.95;

interface Run extends Stretch {
  readonly load: string;
  readonly peer: PeerName;
  /** It delivered what was published as fast as it was published, and all of it. */
  readonly keptUp: boolean;
  readonly saturatedClients: boolean;
}

export const deliveryCost: Question = {
  name: "delivery-cost",
  asks: "CPU of the server for each delivery, and latency, against nats-server, ws and Socket.IO",
  defaults: { seconds: 8, runs: 5 },
  async run(options) {
    const runs: Run[] = [];
    const versions: Record<string, string> = {};
    for (let turn = 0; turn < options.runs; turn += 1) {
      for (const load of loads) {
        for (const peer of options.peers) {
          const run = await undisturbed(
            () => runOnce(peer, load, options, versions),
            ({ cores }) => cores.others,
          );
          runs.push(run);
          options.say(
            `${run.load} ${peer}: ${run.cpuMicrosecondsPerDelivery} µs, p50 ${run.latencyMs.p50} p99 ${run.latencyMs.p99} ms, ` +
              `cores ${run.cores.server}/${run.cores.readers}/${run.cores.publisher}, others ${run.cores.others}${run.keptUp ? "" : " DID NOT KEEP UP"}`,
          );
        }
      }
    }
    return { findings: loads.flatMap((load) => findingsOf(load, runs)), versions, runs, reservations: reserve(runs) };
  },
};

const nameOf = ({ readers, rate, arrival }: Load): string => `${readers} × ${rate}/s ${arrival}`;

async function runOnce(
  peer: PeerName,
  load: Load,
  { seconds, profile, patienceMs }: QuestionOptions,
  versions: Record<string, string>,
): Promise<Run> {
  const publishers = peer === "holdfast" && load.arrival === "even" ? evenPublishers : 1;
  return withWorld({ peer, publishers, profile, patienceMs }, async (world) => {
    versions[peer] = world.version;
    await world.readers({ readers: load.readers, wholeEvery: Math.max(1, Math.floor(load.readers / wholeReaders)) });
    const { sent } = (await world.mark()).publisher;
    await world.publisher.call("begin", { ratePerSecond: load.rate, ...arrivals[load.arrival] });
    await wait(warmUpMs);
    const stretch = await measure(world, seconds);
    await world.publisher.call("end", null);
    const published = (await world.mark()).publisher.sent - sent;
    const share = stretch.deliveredShare / load.readers;
    const keptUp = share >= keptUpShare && (await settled(world, () => published, settleMsMax));
    return {
      load: nameOf(load),
      peer,
      ...stretch,
      deliveredShare: share,
      keptUp,
      saturatedClients: isSaturated(stretch),
    };
  });
}

function findingsOf(load: Load, runs: readonly Run[]): Finding[] {
  const of = (peer: PeerName): Run[] => runs.filter((run) => run.peer === peer && run.load === nameOf(load));
  const peers = [...new Set(runs.map(({ peer }) => peer))];
  const cost = (peer: PeerName) => spreadOf(of(peer).map((run) => run.cpuMicrosecondsPerDelivery));
  const findings: Finding[] = peers.flatMap((peer) => [
    { what: `${nameOf(load)}, ${peer}: CPU per delivery`, unit: "µs", seen: cost(peer) },
    {
      what: `${nameOf(load)}, ${peer}: latency p50`,
      unit: "ms",
      seen: spreadOf(of(peer).map((run) => run.latencyMs.p50)),
    },
    {
      what: `${nameOf(load)}, ${peer}: latency p99`,
      unit: "ms",
      seen: spreadOf(of(peer).map((run) => run.latencyMs.p99)),
    },
  ]);
  /** Each of our runs against the same turn's run of the peer: what disturbs one disturbs both. */
  const ratio = (peer: PeerName) =>
    spreadOf(
      of("holdfast").map(
        (run, turn) => run.cpuMicrosecondsPerDelivery / (of(peer)[turn]?.cpuMicrosecondsPerDelivery ?? Number.NaN),
      ),
    );
  if (peers.includes("holdfast") && peers.includes("nats"))
    findings.push({
      what: `${nameOf(load)}: against NATS`,
      unit: "×",
      seen: ratio("nats"),
      goal: load.goal,
      floor: load.floor,
    });
  if (peers.includes("holdfast") && peers.includes("socketio")) {
    const shared = spreadOf(of("holdfast").map((run) => run.eventsPerFrame)).median >= sharedEventsMin;
    findings.push({
      what: `${nameOf(load)}: against Socket.IO`,
      unit: "×",
      seen: ratio("socketio"),
      ...(shared ? { goal: socketIoGoal } : {}),
    });
  }
  return findings;
}

function reserve(runs: readonly Run[]): string[] {
  const named = (what: string, picked: readonly Run[]): string[] => [
    ...new Set(picked.map(({ load, peer }) => `${load} ${peer}: ${what}`)),
  ];
  return [
    ...named(
      "the readers or the publisher used over 90 % of a core, so they and not the server set the pace; CPU per delivery holds, latency does not",
      runs.filter(({ saturatedClients }) => saturatedClients),
    ),
    ...named(
      "did not keep up with the rate; cost is per delivery made, latency is that of a queue",
      runs.filter(({ keptUp }) => !keptUp),
    ),
  ];
}
