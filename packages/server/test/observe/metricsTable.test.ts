/**
 * Every metric of /metrics, and what has to happen for it to move.
 *
 * A metric without a row here, or a row without a metric, is red. Seen red: with `welcomed` not told, with the
 * duplicates' source left out of `watch.ts`, and with `upgrade` told after the refusal only.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createServer, type Server } from "../../src/index.ts";
import { createWatch, type Watch } from "../../src/observe/watch.ts";
import { newId } from "../support/principals.ts";
import { createSimClock, type SimClock } from "../support/simClock.ts";
import { createWorld, makeHello, type World } from "../support/world.ts";

/** `gauge`: stands at another value than before while it happens. */
const rows = {
  "a client comes, works and goes": [
    "openings_attempted_total",
    "openings_successful_total",
    "opening_phase_seconds",
    "connections_closed_total",
    "connections_short_total",
    "connection_duration_seconds",
    "messages_received_total",
    "message_handling_seconds_total",
    "message_failures_total",
    "received_bytes_total",
    "sent_bytes_total",
    "store_seconds",
    "deliveries_total",
    "display_lag_seconds",
    "duplicates_suppressed_total",
    "gaps_repaired_total",
    "verifications_total",
    "connections_attempted",
    "connections_successful",
    "init_duration_seconds",
  ],
  "a client is here": ["connections", "storm_factor", "subscriptions", "opening_buckets"],
  "a client is judged": ["openings_under_way"],
  "a client waits for the store": ["subscriptions_pending"],
  "an upgrade is refused": ["openings_failed_total", "init_errors_total"],
  "a client comes before its time": ["retry_ignored_total"],
  "the store fails": ["store_errors_total", "store_breaker_open", "store_probes_total", "circuit_breaker_open"],
  "something is wrong": ["alert_raised"],
  "time passes": ["loop_delay_p99_seconds"],
  "the server starts": ["build_info"],
} as const;

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** By name without prefix, all samples of one name added up: of a histogram its sum. */
function sums(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^(?:holdfast|dashboard)_([a-z0-9_]+?)(?:_sum)?(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || /_(bucket|count)$/.test(name)) continue;
    found.set(name, (found.get(name) ?? 0) + Number(value));
  }
  return found;
}

async function startServer(): Promise<Server> {
  const data = mkdtempSync(join(tmpdir(), "holdfast-metrics-"));
  cleanUps.push(() => rmSync(data, { recursive: true, force: true }));
  const app = new URL("../support/notesApp.ts", import.meta.url);
  const server = await createServer({ app, data, mode: "development", dashboardMetrics: true, log: silent });
  cleanUps.push(() => server.close());
  return server;
}

const scrape = async ({ url }: Server): Promise<Map<string, number>> =>
  sums(await (await fetch(`${url}/metrics`)).text());

/** Which of a row's metrics have moved. */
const moved = (names: readonly string[], before: Map<string, number>, after: Map<string, number>): string[] =>
  names.filter((name) => (after.get(name) ?? 0) > (before.get(name) ?? 0));

const figures = {
  received: 3,
  applied: 2,
  duplicatesSuppressed: 1,
  gapsRepaired: 1,
  reconnects: 0,
  longestGapMs: 0,
  unknownMessages: 0,
  problems: 0,
  displayLagP99Ms: 12,
};

function open(server: Server, origin?: string): Promise<{ socket: WebSocket; until: (type: string) => Promise<void> }> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`, "holdfast.v1", origin ? { origin } : {});
  cleanUps.push(() => socket.terminate());
  const heard: string[] = [];
  let wake = (): void => {};
  socket.on("message", (data) => {
    for (const { type } of JSON.parse(String(data)) as { type: string }[]) heard.push(type);
    wake();
  });
  const until = async (type: string): Promise<void> => {
    while (!heard.includes(type)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve({ socket, until }));
    socket.on("error", reject);
  });
}

it("[F48] what a client does, and what is refused, moves what it should on a real server", async () => {
  const server = await startServer();
  const before = await scrape(server);
  const { socket, until } = await open(server);
  const send = (...messages: object[]): void => socket.send(JSON.stringify(messages));
  send(makeHello({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] }));
  await until("subscribed");
  send({ type: "request", id: newId(), method: "note.add", params: { text: "x" } });
  await until("events");
  send({ type: "ping", n: 1, visible: true, statistics: figures }, { type: "nonsense" });
  await until("error");
  const here = await scrape(server);
  expect(moved(rows["a client is here"], before, here)).toEqual(rows["a client is here"]);
  socket.close();
  await new Promise((resolve) => socket.on("close", resolve));
  // The server hears of the end in a turn of its own.
  let after = await scrape(server);
  while ((after.get("connections_closed_total") ?? 0) === 0) after = await scrape(server);
  const names = rows["a client comes, works and goes"];
  expect(moved(names, before, after)).toEqual(names);
  expect(after.get("build_info")).toBe(1);

  await expect(open(server, "http://evil.example")).rejects.toThrow("403");
  expect(moved(rows["an upgrade is refused"], after, await scrape(server))).toEqual(rows["an upgrade is refused"]);
});

/** A node on a simulated clock and a store that can fail, watched as the server watches it. */
async function watched(): Promise<{
  world: World;
  watch: Watch;
  /** The watch's own; the node has another. */
  clock: SimClock;
  read: () => Promise<Map<string, number>>;
}> {
  const clock = createSimClock();
  const watch = createWatch({ clock, log: silent, version: "test", dashboardMetrics: true, alertWebhook: undefined });
  const world = await createWorld(undefined, { openingsPerSecond: 1 }, { observer: watch.observer });
  watch.follow(world.node);
  cleanUps.push(() => watch.stop());
  return { world, watch, clock, read: async () => sums(await watch.text()) };
}

it("[AD-2][F80] a store that fails moves its errors, the breaker and the probes, and its return the breaker back", async () => {
  const { world, read } = await watched();
  const before = await read();
  const client = world.connect();
  await client.open();
  world.store.failing = true;
  for (let index = 0; index < 4; index += 1) {
    client.send({ type: "request", id: newId(), method: "note.add", params: { text: "x" } });
    await world.clock.advance(100);
  }
  client.send({ type: "subscribe", stream: "notes", sub: 1, from: "start" });
  await world.clock.advance(6_000);
  const down = await read();
  expect(moved(rows["a client waits for the store"], before, down)).toEqual(rows["a client waits for the store"]);
  expect(moved(rows["the store fails"], before, down)).toEqual(rows["the store fails"]);
  world.store.failing = false;
  await world.clock.advance(6_000);
  expect((await read()).get("store_breaker_open")).toBe(0);
});

it("[AD-3] an opening is under way until its verdict, and then no more", async () => {
  const { world, read } = await watched();
  const before = await read();
  world.verdict = () => new Promise(() => {}) as never;
  const client = world.connect();
  client.send(makeHello());
  await world.clock.advance(10);
  expect(moved(rows["a client is judged"], before, await read())).toEqual(rows["a client is judged"]);
  client.drop();
  await world.clock.advance(10);
  expect((await read()).get("openings_under_way")).toBe(0);
});

it("[F80] an alert that is raised stands there by its name", async () => {
  const { world, watch, read, clock } = await watched();
  watch.callOut(world.node, "http://server");
  for (let index = 0; index < 3; index += 1) world.node.context.records.hello("one client");
  await clock.advance(20_000);
  expect((await read()).get("alert_raised")).toBe(1);
  expect(await watch.text()).toContain('holdfast_alert_raised{alert="storm"} 1');
});

it("[AD-3] who comes before its time is counted", async () => {
  const { world, read } = await watched();
  const clients = Array.from({ length: 2_300 }, () => world.connect());
  for (const client of clients) client.send(makeHello());
  await world.clock.advance(10);
  const told = clients.flatMap((client) => client.of("bye")).find(({ slot }) => slot !== undefined);
  const early = world.connect();
  early.send(makeHello({ slot: told?.slot }));
  await world.clock.advance(10);
  expect(early.of("bye")).toMatchObject([{ reason: "before its time" }]);
  expect((await read()).get("retry_ignored_total")).toBe(1);
});

it("[F80] the delay of the loop is measured", async () => {
  const clock = createSimClock();
  const watch = createWatch({ clock, log: silent, version: "test", dashboardMetrics: true, alertWebhook: undefined });
  cleanUps.push(() => watch.stop());
  // The monitor has a step of its own to compare with; then a turn of the loop that takes longer.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const until = performance.now() + 60;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 30));
  await clock.advance(10_000);
  expect(watch.loopDelayMs()).toBeGreaterThan(0);
});

it("every metric has its row here and in docs/watch.md, and no other is there", async () => {
  const { watch } = await watched();
  const names = [...(await watch.text()).matchAll(/^# TYPE ((?:holdfast|dashboard)_\S+)/gm)].map(
    ([, name]) => name ?? "",
  );
  const shown = names.map((name) => name.replace(/^(?:holdfast|dashboard)_/, ""));
  expect(shown.sort()).toEqual(Object.values(rows).flat().toSorted());
  const page = readFileSync(new URL("../../../../docs/watch.md", import.meta.url), "utf8");
  const documented = [...page.matchAll(/^\| `((?:holdfast|dashboard)_[a-z0-9_]+)/gm)].map(([, name]) => name);
  expect(documented.sort()).toEqual(names.sort());
});
