/**
 * Connections that end in each phase of opening leave nothing behind: the real server, in a process of its own.
 *
 * `npm run proof:openings` ends 10,000, four times. Crowds are ended before anything is compared: code and caches are warm
 * then, and of the whole proof also the ring of the last 10,000 records is full, which is kept on purpose. After a second
 * crowd the process has also taken from the system what it ever takes: its resident memory is compared too.
 */
import { expect, test } from "vitest";
import { endInEachPhase, phases } from "../src/openings/phases.ts";
import { type ProofServer, startProofServer } from "../src/proof/server.ts";
import type { ProofStatus } from "../src/proof/serverMain.ts";
import { waitFor } from "../src/waiting.ts";

const count = Number(process.env["OPENINGS"] ?? 280);
const atOnce = 24;
const growthBytesMax = 5 * 1024 * 1024;
const wholeCount = 10_000;
const isWhole = count >= wholeCount;
const warmRounds = isWhole ? 2 : 1;
const measuredRounds = isWhole ? 2 : 1;
const settleMsMax = 40_000;
/** The server's clock: what is to be forgotten after a time is forgotten within the test. */
const speed = 4;
/** All come from this machine's one address. */
const admission = {
  openingsPerSecond: 100_000,
  openingsUnderWayMax: 1_000,
  socketsWithoutHelloPerAddressMax: 2_000,
  openingsPerAddressBurst: 100_000,
};

/** What a server holds for its connections, by its own metrics. */
const gauges = [
  "holdfast_connections",
  "holdfast_subscriptions",
  "holdfast_subscriptions_pending",
  "holdfast_openings_under_way",
  "holdfast_opening_buckets",
] as const;

async function held(server: ProofServer): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.url}/metrics`, { headers: { connection: "close" } })).text();
  return Object.fromEntries(
    gauges.map((name) => [name, Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN)]),
  );
}

/** Waits until nothing of the connections is held any more; what is there then. */
async function settled(
  server: ProofServer,
  atRest: Readonly<Record<string, number>>,
  baseline?: ProofStatus,
): Promise<ProofStatus> {
  let last: unknown;
  const look = async (): Promise<ProofStatus | undefined> => {
    const now = await held(server);
    const status = await server.status();
    last = { ...now, timers: status.timers, ...status.resources };
    const isEmpty = gauges.every((name) => now[name] === atRest[name]);
    const isBack =
      baseline === undefined ||
      (status.timers <= baseline.timers &&
        Object.entries(status.resources).every(([kind, amount]) => amount <= (baseline.resources[kind] ?? 0)));
    return isEmpty && isBack ? status : undefined;
  };
  try {
    return await waitFor(look, { msMax: settleMsMax, what: "nothing left of the connections" });
  } catch (error) {
    throw new Error(`still there: ${JSON.stringify(last)}, at first ${JSON.stringify(baseline)}`, { cause: error });
  }
}

test(`[F18][AD-1][AD-3][I6] ${count} connections that end in each phase of opening leave no handle, timer, bucket, subscription or waiter`, async () => {
  await using server = await startProofServer({ speed, admission });
  const atRest = await held(server);
  // One is the node's own: of the notices of other nodes.
  expect(Object.values(atRest)).toEqual([0, 1, 0, 0, 0]);
  let ended: ReadonlyMap<string, number> = new Map();
  let before: ProofStatus | undefined;
  const round = async (run: number): Promise<ProofStatus> => {
    ended = await endInEachPhase(server.port, { count, atOnce, run: `round ${run}` });
    const status = await settled(server, atRest, before);
    console.log(`openings: round ${run}: ${inWords(status)}`);
    return status;
  };
  const warm: ProofStatus[] = [];
  for (let run = 1; run <= warmRounds; run += 1) warm.push(await round(run));
  before = warm.at(-1);
  const measured: ProofStatus[] = [];
  for (let run = 1; run <= measuredRounds; run += 1) measured.push(await round(warmRounds + run));

  const after = measured.at(-1);
  if (before === undefined || after === undefined) throw new TypeError("there was no round");
  console.log(`openings: ${count} a round, ${Math.min(...ended.values())} or more in each of ${ended.size} phases`);
  expect([...ended.keys()].sort()).toEqual(Object.keys(phases).sort());
  expect(after.heapBytes - before.heapBytes).toBeLessThan(growthBytesMax);
  if (isWhole) expect(highest(measured) - highest(warm)).toBeLessThan(growthBytesMax);
  expect(server.log()).not.toMatch(/"level":"(error|fatal)"/);
});

/** Resident memory goes up and down with what the engine gives back; what is leaked shows in its highest. */
function highest(statuses: readonly ProofStatus[]): number {
  return Math.max(...statuses.map(({ rssBytes }) => rssBytes));
}

function inWords({ heapBytes, heapTotalBytes, rssBytes, timers, resources }: ProofStatus): string {
  const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return `heap ${mib(heapBytes)} of ${mib(heapTotalBytes)}, resident ${mib(rssBytes)}, timers ${timers}, ${JSON.stringify(resources)}`;
}
