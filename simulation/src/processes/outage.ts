/**
 * Outages of the database, one after the other, with everybody watching: cut, hung, slowed; and what anybody noticed.
 *
 * Life cycle: field → for each fault: everybody prints → the fault acts for `faultMs` → healed → all live again, timed
 * → quiet → all have read all → the crowd's folds and the judge. Invariants: only the database's network fails, so an
 * end of a connection or an agent that goes offline is a breach; a figure is measured from the moment of healing.
 */
import type { JudgeReport } from "../judge/judge.ts";
import type { Observation } from "../judge/observation.ts";
import { wrongReaders } from "./crowd.ts";
import type { CrowdStatus } from "./crowdSettings.ts";
import { judgeHistory } from "./judgeHistory.ts";
import type { NetworkFault } from "./networkFault.ts";
import { type LogLine, makeOutageField, type OutageField } from "./outageField.ts";
import { pause } from "./player.ts";
import { type Query, readPostgresLog } from "./postgresLog.ts";

/** Everything goes on within this, or the run has failed and is measured no longer. */
const returnMsMax = 60_000;
const settleMsMax = 60_000;
/** All print before the fault begins: one that is claimed only after it would print into the next one's time. */
const startMsMax = 30_000;
const lookEveryMs = 100;
const lineEveryMs = 250;
/** What is printed after the fault is over: so that everybody has something new to see. */
const printedAfterMs = 6_000;
const slowerTimes = 50;
const writesMeasured = 200;
/** A disk that is faster than this is taken for one that is not. */
const commitMsMin = 0.5;

export type OutageKind = "cut" | "hung" | "slow";

export interface OutageOptions {
  readonly kinds: readonly OutageKind[];
  /** How long each fault acts, ms. */
  readonly faultMs: number;
  readonly clients: number;
  readonly agents: number;
  readonly senders: number;
  readonly say: (line: string) => void;
}

export interface FaultReport {
  readonly kind: OutageKind;
  readonly ms: number;
  /** What a slow network adds to each way, ms. */
  readonly latencyMs: number;
  /** What the proxy did: connections refused, bytes held, pieces delayed. */
  readonly effect: number;
  /** Lines of the server's log from the fault's begin until everybody was live again. */
  readonly lines: readonly LogLine[];
  /** Clients that knew of it, at most. */
  readonly degraded: number;
  /** From the healing until all clients were live with an event made after it, ms; undefined: they never were. */
  readonly liveMs: number | undefined;
}

export interface OutageReport {
  readonly clients: number;
  readonly agents: number;
  readonly seconds: number;
  readonly faults: readonly FaultReport[];
  /** Connections of clients and agents that ended. */
  readonly closings: number;
  readonly agentsOffline: number;
  /** Of one outage and what follows it: three short ones in one minute are three. */
  readonly linesPerMinuteMax: number;
  readonly committed: number;
  readonly deliveries: number;
  readonly wrongReaders: readonly string[];
  readonly unsettled: string | undefined;
  readonly judged: JudgeReport;
}

export async function runOutage(options: OutageOptions): Promise<OutageReport> {
  const { say, faultMs, kinds } = options;
  const beganAt = performance.now();
  const field = await makeOutageField(options);
  try {
    say(`${options.clients} clients, ${options.agents} agents and ${options.senders} senders are live`);
    // Three hundred that come at once are told when it is their turn (AD-3); from here on nobody may be closed.
    const before = connectionsOf(field);
    const faults: FaultReport[] = [];
    let linesPerMinuteMax = 0;
    for (const kind of kinds) {
      const told = field.lines.length;
      const printing = await field.print(kind, Math.ceil((faultMs + printedAfterMs) / lineEveryMs), lineEveryMs);
      await all(field, printing, "command.started", startMsMax);
      const report = await outage(field, kind, faultMs);
      faults.push(report);
      say(`${kind}: it is over, ${report.liveMs === undefined ? "and not all came back" : "and all are back"}`);
      await all(field, printing, "command.finished", settleMsMax);
      linesPerMinuteMax = Math.max(linesPerMinuteMax, busiestMinute(field.lines.slice(told)));
    }
    const unsettled = await field.settle(settleMsMax);
    const after = connectionsOf(field);
    const offline = offlineIn(await readPostgresLog(field.query));
    const result = await field.crowd.finish();
    await field.end();
    const events = await readPostgresLog(field.query);
    return {
      clients: options.clients,
      agents: options.agents,
      seconds: (performance.now() - beganAt) / 1_000,
      faults,
      closings: after.closed - before.closed + (after.made - before.made),
      agentsOffline: offline,
      linesPerMinuteMax,
      committed: events.length,
      deliveries: result.deliveries,
      wrongReaders: wrongReaders(result, events),
      unsettled,
      judged: judgeHistory(
        {
          events,
          removed: [],
          effects: field.effects(),
          records: [field.sent, ...field.senders.map((sender) => sender.records())],
          logLines: field.lines.map(toObservation),
          incidents: [],
          lifeEnds: [],
        },
        true,
      ),
    };
  } finally {
    await field.abandon();
  }
}

async function outage(field: OutageField, kind: OutageKind, faultMs: number): Promise<FaultReport> {
  const { proxy, crowd, lines } = field;
  const before = lines.length;
  const beganAt = performance.now();
  const fault = await faultOf(kind, field.query);
  proxy.begin(fault);
  let degraded = 0;
  while (performance.now() - beganAt < faultMs) {
    await pause(lookEveryMs);
    degraded = Math.max(degraded, crowd.last()?.degraded ?? 0);
  }
  const healedAt = Date.now();
  const ms = performance.now() - beganAt;
  const effect = proxy.heal();
  const liveMs = await allLive(field, healedAt);
  const latencyMs = fault.kind === "latency" ? fault.ms : 0;
  return { kind, ms, latencyMs, effect, lines: lines.slice(before), degraded, liveMs };
}

/** Waits until every client is live and was given an event that was made after `healedAt`; how long it took. */
async function allLive({ crowd, senders }: OutageField, healedAt: number): Promise<number | undefined> {
  const isLive = (status: CrowdStatus | undefined, count: number): boolean =>
    status !== undefined && status.live === count && (status.freshAt ?? 0) > healedAt;
  const count = (crowd.last()?.live ?? 0) + (crowd.last()?.degraded ?? 0);
  for (;;) {
    if (isLive(crowd.last(), count) && senders.every(({ status }) => status?.state === "live"))
      return Date.now() - healedAt;
    if (Date.now() - healedAt > returnMsMax) return undefined;
    await pause(lookEveryMs);
  }
}

/** Waits until the log has this event of each of these commands. */
async function all(
  { query }: OutageField,
  commands: readonly string[],
  event: "command.started" | "command.finished",
  msMax: number,
): Promise<void> {
  const missing = new Set(commands);
  const end = performance.now() + msMax;
  for (;;) {
    const rows = (await query(
      `select data::json->>'command' as command from events where event = '${event}'`,
    )) as readonly { command: string }[];
    for (const { command } of rows) missing.delete(command);
    if (missing.size === 0) return;
    if (performance.now() > end) throw new Error(`no ${event} of ${[...missing].join(", ")} within ${msMax} ms`);
    await pause(lookEveryMs);
  }
}

async function faultOf(kind: OutageKind, query: Query): Promise<NetworkFault> {
  switch (kind) {
    case "cut":
      return { kind: "refuse" };
    case "hung":
      return { kind: "stall", way: "both" };
    case "slow":
      return { kind: "latency", ms: ((slowerTimes - 1) * (await commitMs(query))) / 2, jitterMs: 0 };
  }
}

/** The time of one durable write, as the database gives it when nothing is wrong: ms. */
async function commitMs(query: Query): Promise<number> {
  await query("create table if not exists outage_writes (at timestamptz)");
  const timed = async (writes: number): Promise<number> => {
    const before = performance.now();
    await query(
      `do $$ begin for turn in 1..${writes} loop insert into outage_writes values (now()); commit; end loop; end $$`,
    );
    return performance.now() - before;
  };
  await timed(1);
  const one = await timed(1);
  return Math.max(commitMsMin, ((await timed(writesMeasured + 1)) - one) / writesMeasured);
}

/** Connections of clients that ended so far, and those that agents have made. */
function connectionsOf({ crowd, agents }: OutageField): { readonly closed: number; readonly made: number } {
  return {
    closed: crowd.last()?.closings ?? 0,
    made: agents.reduce((sum, agent) => sum + agent.connectionsMade, 0),
  };
}

/** Changes in `fleet` that showed an agent as anything but online, after it first was. */
function offlineIn(events: Awaited<ReturnType<typeof readPostgresLog>>): number {
  const online = new Set<string>();
  let offline = 0;
  for (const { stream, data } of events) {
    const agent = data["agent"] as { readonly id: string; readonly status: string } | undefined;
    if (stream !== "fleet" || agent === undefined) continue;
    if (agent.status === "online") online.add(agent.id);
    else if (online.has(agent.id)) offline += 1;
  }
  return offline;
}

/** Lines within the minute that has the most. */
function busiestMinute(lines: readonly LogLine[]): number {
  return lines.reduce(
    (most, { at }) => Math.max(most, lines.filter((one) => one.at >= at && one.at < at + 60_000).length),
    0,
  );
}

function toObservation({ at, level, event, fields }: LogLine): Observation {
  return { kind: "logged", at, node: "server", level: level as "info", event, fields };
}
