/** What a run of chaos comes to, in lines for a person; and what it falls short of. Pure. */
import { harms } from "../judge/violation.ts";
import type { ChaosReport } from "./chaos.ts";

/** For ten minutes; a shorter run owes its share. */
const goals = { minutes: 10, faults: 100, events: 500_000 };
const violationsShownMax = 20;

export function describeChaos(report: ChaosReport): readonly string[] {
  const rows = [...report.effective].toSorted(([a], [b]) => a.localeCompare(b));
  return [
    "",
    ...rows.map(([name, count]) => `  ${name.padEnd(24)}${String(count).padStart(4)}`),
    `faults that took effect: ${report.faults} of ${report.struck}; credentials renewed: ${report.refreshes}`,
    `events checked: ${report.committed + report.deliveries} (${report.committed} durable, ${report.deliveries} delivered); requests ${report.requests}, commands ${report.commands}`,
    `${harms.map((harm) => `${harm} ${report.harms[harm]}`).join(", ")}; violations in all: ${report.violations.length}`,
    ...report.violations.slice(0, violationsShownMax).map(({ message, context }) => `  ${message} ${shown(context)}`),
    report.healedMs === undefined
      ? `not converged: ${report.unsettled}`
      : `converged ${(report.healedMs / 1_000).toFixed(1)} s after the last fault`,
  ];
}

/** Sentences, one for each thing that is missing; none where the run shows what it is to show. */
export function shortfallsOf(report: ChaosReport, minutes: number): readonly string[] {
  const share = Math.min(1, minutes / goals.minutes);
  const events = report.committed + report.deliveries;
  const wanted = { faults: Math.floor(goals.faults * share), events: Math.floor(goals.events * share) };
  return [
    ...(report.violations.length > 0 ? [`${report.violations.length} violations`] : []),
    ...(report.healedMs === undefined ? ["it did not converge"] : []),
    ...(report.faults < wanted.faults ? [`only ${report.faults} faults took effect, of ${wanted.faults}`] : []),
    ...(events < wanted.events ? [`only ${events} events were checked, of ${wanted.events}`] : []),
  ];
}

function shown(context: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(context).slice(0, 300);
}
