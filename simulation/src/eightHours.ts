/**
 * Eight virtual hours: twenty pages and five agents with tokens of 15 minutes, a cut, a sleep and a restart an hour.
 *
 * What must be seen: each connection has a cause, and there is one for each and no other; and nothing grows: timers,
 * connections, outboxes and what is saved are at the end as they were after the first hour. It is a plan like any
 * other, run to its end in one world, and measured between.
 */
import type { Turns } from "./core/scheduler.ts";
import type { Observation } from "./judge/observation.ts";
import { perform } from "./plan/perform.ts";
import type { Plan, Step } from "./plan/plan.ts";
import { boardStream, logs } from "./world/app.ts";
import { World } from "./world/world.ts";

const hourMs = 3_600_000;
const hours = 8;
const pages = 20;
const agents = 5;
/** After what happens in an hour everything has come to rest. */
const restMs = 120_000;
const sleepMs = 600_000;
/** One for the first connection, then for each hour: a cut, a sleep, a restart. Others have only the restart. */
const attemptsAfterRestartMax = 6;

export interface EightHours {
  readonly virtualHours: number;
  readonly deliveries: number;
  readonly connections: number;
  /** Connections that no cause explains, and what grew, in sentences. */
  readonly faults: readonly string[];
  readonly early: Readonly<Record<string, number>>;
  readonly late: Readonly<Record<string, number>>;
}

export async function runEightHours(
  seed: number,
  turns: Turns,
  uncaught: () => readonly unknown[],
): Promise<EightHours> {
  const plan = planEightHours(seed);
  const opened = new Map<string, number>();
  const world = await World.open(plan, turns, false, (observation) => count(opened, observation));
  const { scheduler } = world;
  for (const step of plan.steps) scheduler.at(scheduler.lane("plan"), step.at, () => perform(world, step));
  const faults: string[] = [];
  await scheduler.run(hourMs + restMs);
  const early = measure(world);
  await scheduler.run(hours * hourMs + restMs);
  const late = measure(world);
  for (const error of uncaught()) faults.push(`nobody caught ${String(error)}`);
  if (world.violation === undefined) world.judge.finish(true);
  if (world.violation !== undefined) faults.push(world.violation.message);
  faults.push(...unexplained(opened, plan), ...grown(early, late));
  for (const person of world.people) person.tally();
  const deliveries = world.people.reduce((sum, person) => sum + person.deliveries, 0);
  await world.close();
  const connections = [...opened.values()].reduce((sum, times) => sum + times, 0);
  return { virtualHours: scheduler.now / hourMs, deliveries, connections, faults, early, late };
}

function count(opened: Map<string, number>, observation: Observation): void {
  if (observation.kind !== "welcomed" || observation.client.includes("(")) return;
  opened.set(observation.client, (opened.get(observation.client) ?? 0) + 1);
}

/** Who had other connections than causes. */
function unexplained(opened: ReadonlyMap<string, number>, { steps }: Plan): string[] {
  return [...opened].flatMap(([client, times]) => {
    const name = client.split("/")[0];
    const causes = steps.filter((step) =>
      step.kind === "crash" ? true : "who" in step && step.who === name && isFault(step),
    );
    const wanted = 1 + causes.length;
    return times === wanted ? [] : [`${client} had ${times} connections for ${wanted} causes`];
  });
}

function isFault({ kind }: Step): boolean {
  return kind === "cut" || kind === "sleep";
}

/** What is kept anywhere, by name. */
function measure(world: World): Record<string, number> {
  const sum = (of: (one: World["machines"][number]) => number): number =>
    world.machines.reduce((all, one) => all + of(one), 0);
  const node = world.nodes[0];
  return {
    "timers of clients": sum(({ process }) => process.armed),
    "timers of the node": node?.process.armed ?? 0,
    "connections of the node": node?.node?.gateway.connections.size ?? 0,
    "sockets of the network": world.network.connections.size,
    "requests waiting": world.people.reduce((all, { outbox }) => all + outbox, 0),
    "requests saved": world.people.reduce((all, { saved }) => all + saved, 0),
    "bytes not published": world.people.reduce((all, { undecidedBytes }) => all + undecidedBytes, 0),
    "events planned": world.scheduler.waiting,
  };
}

/** Two that rest never rest in the very same moment: a timer more for each client is no growth. */
function grown(early: Readonly<Record<string, number>>, late: Readonly<Record<string, number>>): string[] {
  return Object.entries(late).flatMap(([what, value]) => {
    const before = early[what] ?? 0;
    const slack = what.includes("timers") || what === "events planned" ? pages + agents + attemptsAfterRestartMax : 0;
    return value <= before + slack ? [] : [`${what}: ${before} after the first hour, ${value} at the end`];
  });
}

function planEightHours(seed: number): Plan {
  const people = Array.from({ length: pages }, (_, index) => ({
    name: `page${index + 1}`,
    kind: index % 4 === 0 ? ("program" as const) : ("page" as const),
    workspace: "red",
    role: "operator" as const,
    reads: [
      { stream: boardStream, from: "latest" as const },
      { stream: logs[index % logs.length] ?? boardStream, from: "latest" as const },
    ],
    latencyMs: 20,
    jitterMs: 5,
    skewMs: 0,
    tokenLifeMs: 900_000,
    hasOpaqueToken: false,
  }));
  const workers = Array.from({ length: agents }, (_, index) => ({
    name: `agent${index + 1}`,
    workspace: "red",
    latencyMs: 20,
    jitterMs: 5,
  }));
  const steps: Step[] = [];
  for (let hour = 0; hour < hours; hour += 1) {
    const at = hour * hourMs;
    people.forEach(({ name, kind }, index) => {
      steps.push({ at: at + 600_000 + index * 1_000, kind: "cut", who: name, seenBy: "both" });
      steps.push({ at: at + 1_200_000 + index * 1_000, kind: "sleep", who: name, ms: sleepMs, isCounted: true });
      for (let minute = 2; minute < 58; minute += 4) {
        const moment = at + minute * 60_000 + index * 700;
        if (kind === "program")
          steps.push({ at: moment, kind: "publish", who: name, stream: logs[index % logs.length] ?? "", count: 3 });
        else steps.push({ at: moment, kind: "request", who: name, method: "board.add" });
      }
      const agent = workers[index % agents]?.name ?? "";
      if (kind === "page") steps.push({ at: at + 2_700_000 + index * 5_000, kind: "command", who: name, agent });
    });
    steps.push({ at: at + 3_300_000, kind: "crash", node: "node1", point: "now", downMs: 1_000, isSilent: false });
  }
  return {
    seed,
    durationMs: hours * hourMs,
    nodes: [{ name: "node1", skewMs: 0 }],
    isDatabaseSeparate: false,
    storeLatencyMs: 1,
    bus: { loss: 0, duplication: 0, delayMs: 0 },
    logs,
    workspaces: ["red"],
    people,
    agents: workers,
    steps: steps.sort((one, other) => one.at - other.at),
  };
}
