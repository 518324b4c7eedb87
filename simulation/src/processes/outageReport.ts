/** What outages of the database come to, in lines for a person; and what they fall short of. Pure. */
import type { FaultReport, OutageReport } from "./outage.ts";
import type { LogLine } from "./outageField.ts";

const liveMsMax = 10_000;
const linesPerMinuteMax = 10;
const probeEveryMs = 5_000;
/** A shorter outage may end before it is found out, or be folded into the line of the one before (AD-4). */
const toldFaultMsMin = 60_000;
const shownMax = 10;

export function describeOutage(report: OutageReport): readonly string[] {
  return [
    `${report.clients} clients and ${report.agents} agents for ${report.seconds.toFixed(0)} s: ${report.committed} events durable, ${report.deliveries + report.judged.deliveries} delivered`,
    `connections closed ${report.closings}, agents offline ${report.agentsOffline}, log lines in the busiest minute ${report.linesPerMinuteMax}`,
    ...report.faults.map(describeFault),
    ...report.wrongReaders.slice(0, shownMax).map((line) => `  ${line}`),
    ...report.judged.violations.slice(0, shownMax).map(({ message }) => `  ${message}`),
  ];
}

export function describeFault({ kind, ms, latencyMs, lines, degraded, liveMs }: FaultReport): string {
  const live = liveMs === undefined ? "never" : `${seconds(liveMs)} after its return`;
  const ended = lineOf(lines, "store.available");
  const probes = ended === undefined ? "" : `, ${String(ended["probes"])} probes in ${seconds(Number(ended["forMs"]))}`;
  const slower = latencyMs === 0 ? "" : ` (${latencyMs.toFixed(0)} ms more each way)`;
  return `${kind} for ${seconds(ms)}${slower}: ${lines.length} log lines${probes}; ${degraded} clients showed it; all live ${live}`;
}

/** One sentence for each promise that was not kept; none where all were. */
export function shortfallsOfOutage(report: OutageReport): readonly string[] {
  const { closings, agentsOffline, wrongReaders, judged, unsettled } = report;
  return [
    ...(closings > 0 ? [`${closings} connections were closed`] : []),
    ...(agentsOffline > 0 ? [`${agentsOffline} times an agent went offline`] : []),
    ...(report.linesPerMinuteMax > linesPerMinuteMax ? [`${report.linesPerMinuteMax} log lines within a minute`] : []),
    ...report.faults.flatMap(shortfallsOf),
    ...(wrongReaders.length > 0 ? [`${wrongReaders.length} readers did not apply what the log has`] : []),
    ...(unsettled === undefined ? [] : [`at the end ${unsettled}`]),
    ...judged.violations.map(({ message }) => message),
  ];
}

function shortfallsOf(fault: FaultReport): readonly string[] {
  const { kind, ms, effect, liveMs, lines } = fault;
  const mustBeTold = kind !== "slow" && ms >= toldFaultMsMin;
  return [
    ...(effect === 0 ? [`${kind}: it took no effect`] : []),
    ...(liveMs === undefined || liveMs > liveMsMax ? [`${kind}: ${describeFault(fault)}`] : []),
    ...(mustBeTold ? untoldIn(kind, lines) : []),
    ...wrongProbesIn(kind, lines),
  ];
}

/** AD-4: what the line of an outage must name. */
function untoldIn(kind: string, lines: readonly LogLine[]): readonly string[] {
  const told = lineOf(lines, "store.unavailable");
  if (told === undefined) return [`${kind}: no line tells of it`];
  const { store, host, port, error, since, waiting } = told;
  const { name, message } = (error ?? {}) as { readonly name?: unknown; readonly message?: unknown };
  const named = { store, host, port, since, waiting, "error.name": name, "error.message": message };
  const missing = Object.entries(named).filter(([, value]) => value === undefined || value === "");
  return missing.length === 0 ? [] : [`${kind}: its line does not name ${missing.map(([field]) => field).join(", ")}`];
}

/** AD-2: one probe each 5 s; the last one is that which found the store again. */
function wrongProbesIn(kind: string, lines: readonly LogLine[]): readonly string[] {
  const ended = lineOf(lines, "store.available");
  if (ended === undefined) return [];
  const [forMs, probes] = [Number(ended["forMs"]), Number(ended["probes"])];
  const wanted = forMs / probeEveryMs;
  return Math.abs(probes - wanted) <= 1 ? [] : [`${kind}: ${probes} probes in ${seconds(forMs)}`];
}

function lineOf(lines: readonly LogLine[], event: string): LogLine["fields"] | undefined {
  return lines.find((line) => line.event === event)?.fields;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
