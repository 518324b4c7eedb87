/**
 * A run of real processes as one history for the judge: what the store held, then everything else by its time.
 *
 * What was written down by many is put together here: commits and effects from the store's own file, what ran from the
 * agents' notes, and the records of clients and pages. What nobody could write down follows from what was done to them:
 * a killed life ends, and an end of a connection has the cause of whatever fault acted just then. It judges nothing.
 */
import type { ClosingCause, Observation, Observed } from "../judge/observation.ts";
import { tokenOf } from "./person.ts";
import { printedLines } from "./printedLines.ts";
import type { LoggedEvent } from "./storeLog.ts";

/** When what happened to whom: a strike as it really went. */
export interface Incident {
  readonly target: string;
  readonly kind: string;
  readonly beganAt: number;
  readonly endedAt: number;
}

/** A life that ended by somebody else's hand: `<name>#<life>`. */
export interface LifeEnd {
  readonly client: string;
  readonly at: number;
}

export interface Effect {
  readonly token: string;
  readonly at: number;
}

export interface HistoryParts {
  readonly events: readonly LoggedEvent[];
  /** What the store lost, or retention removed. */
  readonly removed: readonly Observation[];
  readonly effects: readonly Effect[];
  /** Clients' and pages' own records, each in its order. */
  readonly records: readonly (readonly Observation[])[];
  readonly logLines: readonly Observation[];
  readonly incidents: readonly Incident[];
  readonly lifeEnds: readonly LifeEnd[];
}

/**
 * How long after a fault an end of a connection may still be its doing, ms. What is told at once needs moments; what is
 * only silent or slow is found out by heartbeats, which take 30 s (LV-2).
 */
const toldAftermathMs = 5_000;
const silentAftermathMs = 35_000;
const silentKinds: ReadonlySet<string> = new Set(["stop", "blackHole", "stall", "latency", "rate", "slice"]);

/** Everything, in the order in which the judge is to hear it. */
export function historyOf(parts: HistoryParts): readonly Observation[] {
  const { events, removed, effects, records, logLines, incidents, lifeEnds } = parts;
  const commands = commandsOf(events);
  const later = [
    ...records.flat().map((one) => (one.kind === "closed" ? withCause(one, incidents) : one)),
    ...logLines,
    ...lifeEnds.flatMap(({ client, at }) => endings(client, at, records)),
    ...effects.flatMap(({ token, at }): readonly Observation[] => {
      const command = commands.get(token);
      // It ran and nobody ever asked for it: no name of a command could be right.
      return [{ kind: "commandEffect", at, command: command ?? `of no request (${token})` }];
    }),
  ];
  // A sort by time keeps what one writer wrote within a millisecond in its order.
  return [...fromStore(events), ...printedLines(events), ...removed, ...later.toSorted((a, b) => a.at - b.at)];
}

/** A life may have had several sessions, `<client>.1`, `<client>.2` …: all of them end with it. */
function endings(life: string, at: number, records: HistoryParts["records"]): readonly Observation[] {
  const clients = new Set(
    records.flat().flatMap((one) => (one.kind === "clientState" || one.kind === "readerOpened" ? [one.client] : [])),
  );
  return [...clients]
    .filter((client) => client === life || client.startsWith(`${life}.`))
    .map((client) => ({ kind: "clientEnded", at, client }));
}

/** What the log alone says: events, requests' effects, claims and ends of commands. */
function fromStore(events: readonly LoggedEvent[]): readonly Observation[] {
  return events.flatMap(({ workspace, stream, epoch, offset, content, at, event, data }): readonly Observation[] => {
    const committed: Observation = { kind: "committed", at, workspace, stream, epoch, offset, content };
    if (!stream.startsWith("thread/")) return [committed];
    const command = String(data["command"]);
    const token = event === "command.queued" ? tokenOf(String(data["text"])) : undefined;
    if (token !== undefined) return [committed, { kind: "effectCommitted", at, request: token }];
    if (event === "command.started") return [committed, { kind: "commandClaimed", at, command }];
    if (event === "command.finished")
      return [committed, { kind: "commandFinished", at, command, outcome: String(data["outcome"]) }];
    return [committed];
  });
}

/** Token of the request → command. */
function commandsOf(events: readonly LoggedEvent[]): ReadonlyMap<string, string> {
  return new Map(
    events.flatMap(({ event, data }) => {
      const token = event === "command.queued" ? tokenOf(String(data["text"])) : undefined;
      return token === undefined ? [] : [[token, String(data["command"])] as const];
    }),
  );
}

function withCause(closed: Observed<"closed">, incidents: readonly Incident[]): Observation {
  if (closed.cause !== undefined) return closed;
  const name = closed.client.split("#")[0] ?? "";
  const found = incidents.findLast(
    ({ target, kind, beganAt, endedAt }) =>
      (target === name || target === "server") && closed.at >= beganAt && closed.at <= endedAt + aftermathOf(kind),
  );
  return found === undefined ? closed : { ...closed, cause: causeOf(found.kind) };
}

function aftermathOf(kind: string): number {
  return silentKinds.has(kind) ? silentAftermathMs : toldAftermathMs;
}

function causeOf(kind: string): ClosingCause {
  switch (kind) {
    case "kill":
    case "crash":
    case "reload":
    case "reopen":
      return "ended";
    case "drain":
      return "drain";
    case "stop":
      return "silence";
    case "signOut":
      return "authority";
    default:
      return "network";
  }
}
