/** What a run of two servers on one database comes to, in lines for a person; and what it falls short of. Pure. */
import type { PhaseFigures } from "./crowdSettings.ts";
import type { NodesReport } from "./nodes.ts";

/** ST-14: a second, and what the machine takes. */
const unheardMsMax = 1_500;
/** A page's longest pause while its servers are restarted one after the other, for 99 of 100 pages. */
const pauseMsMax = 2_000;
const shownMax = 10;

export function describeNodes(report: NodesReport): readonly string[] {
  const { clients, agents, seconds, committed, deliveries, judged } = report;
  return [
    `two servers, ${clients} clients and ${agents} agents for ${seconds.toFixed(0)} s: ${committed} events durable, ${deliveries + judged.deliveries} delivered`,
    ...report.phases.map(describePhase),
    `connections by server before the kill ${report.heldBeforeKill.join(" and ")}, after it ${report.heldAfterKill.join(" and ")}; all live on the other ${(report.movedMs / 1_000).toFixed(1)} s after it`,
    ...report.wrongReaders.slice(0, shownMax).map((line) => `  ${line}`),
    ...report.judged.violations.slice(0, shownMax).map(({ message }) => `  ${message}`),
  ];
}

/** One sentence for each promise that was not kept, whatever the machine was busy with. */
export function harmOfNodes({
  wrongReaders,
  unsettled,
  judged,
  heldAfterKill,
  phases,
}: NodesReport): readonly string[] {
  return [
    ...phases.flatMap(({ name, events }) => (events === 0 ? [`${name}: nothing was delivered`] : [])),
    ...(heldAfterKill.includes(0) ? [] : ["after the kill both servers held connections"]),
    ...(wrongReaders.length > 0 ? [`${wrongReaders.length} readers did not apply what the log has`] : []),
    ...(unsettled === undefined ? [] : [`at the end ${unsettled}`]),
    ...judged.violations.map(({ message }) => message),
  ];
}

/** The same, and what took longer than it may, on a machine that does nothing else. */
export function shortfallsOfNodes(report: NodesReport): readonly string[] {
  return [
    ...harmOfNodes(report),
    ...report.phases.flatMap((phase) => {
      const isTooLate = phase.name === "every notice lost" && phase.delays.max > unheardMsMax;
      const isTooLong = phase.name === "rolling restart" && phase.pauses.p99 > pauseMsMax;
      return isTooLate || isTooLong ? [describePhase(phase)] : [];
    }),
  ];
}

function describePhase({ name, events, delays, pauses }: PhaseFigures): string {
  return `${name}: ${events} events, late by ${delays.p50} ms (p99 ${delays.p99}, at most ${delays.max}); longest pause of a page ${pauses.p50} ms (p99 ${pauses.p99}, at most ${pauses.max})`;
}
