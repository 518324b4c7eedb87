/** What one idle connection costs in memory, at 5,000 of them: resident, and in use after a collection. */
import type { PeerName } from "../peers/peers.ts";
import { wait } from "../ports/monotonic.ts";
import { spreadOf } from "../statistics.ts";
import { withWorld } from "../world.ts";
import type { Finding, Question } from "./question.ts";

const connections = 5_000;
/** Opened and closed over before: what a process keeps once, whoever comes, is nobody's own. */
const warmUpConnections = 200;
const kibibyte = 1_024;
const goalKiB = 7;
const floorKiB = 15;
const settleMs = 1_500;

interface Run {
  readonly peer: PeerName;
  readonly subscribed: boolean;
  readonly residentKiB: number;
  readonly usedKiB: number;
  readonly openMs: number;
}

export const idleMemory: Question = {
  name: "idle-memory",
  asks: `memory for each of ${connections} idle connections`,
  defaults: { seconds: 1, runs: 3 },
  async run({ runs: turns, peers, patienceMs, say }) {
    const runs: Run[] = [];
    const versions: Record<string, string> = {};
    for (let turn = 0; turn < turns; turn += 1) {
      for (const peer of peers) {
        for (const subscribed of peer === "holdfast" ? [true, false] : [true]) {
          const run = await runOnce(peer, subscribed, versions, patienceMs);
          runs.push(run);
          say(
            `${nameOf(run)}: ${run.residentKiB.toFixed(1)} KiB resident, ${run.usedKiB.toFixed(1)} KiB in use, opened in ${run.openMs.toFixed(0)} ms`,
          );
        }
      }
    }
    return { findings: findingsOf(runs), versions, runs, reservations: [] };
  },
};

const nameOf = ({ peer, subscribed }: Run): string =>
  peer === "holdfast" ? `holdfast, ${subscribed ? "subscribed" : "welcomed only"}` : peer;

function runOnce(
  peer: PeerName,
  subscribed: boolean,
  versions: Record<string, string>,
  patienceMs: number,
): Promise<Run> {
  return withWorld({ peer, collect: true, patienceMs }, async (world) => {
    versions[peer] = world.version;
    await world.readers({ readers: warmUpConnections, subscribe: subscribed });
    await wait(settleMs);
    const before = await world.server.call("usage", { collect: true });
    const group = world.readersProcess();
    const openMs = await group.call("open", world.readerOptions({ readers: connections, subscribe: subscribed }));
    await wait(settleMs);
    const after = await world.server.call("usage", { collect: true });
    const { faults } = await group.call("mark", null);
    if (faults.length > 0) throw new Error(`idle connections did not stay: ${faults[0]}`);
    const each = (now: number, then: number): number => (now - then) / connections / kibibyte;
    return {
      peer,
      subscribed,
      residentKiB: each(after.residentBytes, before.residentBytes),
      usedKiB: each(after.usedBytes, before.usedBytes),
      openMs,
    };
  });
}

function findingsOf(runs: readonly Run[]): Finding[] {
  return [...new Set(runs.map(nameOf))].flatMap((name) => {
    const these = runs.filter((run) => nameOf(run) === name);
    const bounds = name.startsWith("holdfast") ? { goal: goalKiB, floor: floorKiB } : {};
    const resident = {
      what: `${name}: resident`,
      unit: "KiB",
      seen: spreadOf(these.map((run) => run.residentKiB)),
      ...bounds,
    };
    if (name.startsWith("nats")) return [resident];
    return [
      resident,
      { what: `${name}: in use after collection`, unit: "KiB", seen: spreadOf(these.map((run) => run.usedKiB)) },
    ];
  });
}
