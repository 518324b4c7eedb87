/** What a soak comes to, in lines for a person; and what it falls short of. Pure. */
import type { Growth, SoakReport } from "./soak.ts";

const growthMax = 1.1;
const resident = "server, resident";
/** A shorter run says nothing of memory: pages and server are still warming up at a quarter of it. */
const memoryMinutesMin = 5;
/** Of the events that were to be printed; the rest goes between two commands. */
const eventsShareMin = 0.85;
const shownMax = 10;

export function describeSoak(report: SoakReport): readonly string[] {
  return [
    `${report.clients} clients for ${report.minutes.toFixed(1)} minutes: ${report.committed} events durable (${report.eventsPerSecond.toFixed(0)}/s), ${report.deliveries + report.judged.deliveries} delivered`,
    `reconnects ${report.reconnects}, credentials refused ${report.refusals}, renewed ${report.refreshes}`,
    ...report.growth.map(
      ({ what, before, after }) => `${what}: ${mebibytes(before)} at a quarter, ${mebibytes(after)} at the end`,
    ),
    ...report.wrongReaders.slice(0, shownMax).map((line) => `  ${line}`),
    ...report.judged.violations.slice(0, shownMax).map(({ message }) => `  ${message}`),
  ];
}

export function shortfallsOfSoak(
  report: SoakReport,
  asked: { readonly minutes: number; readonly eventsPerSecond: number; readonly signInSeconds: number },
): readonly string[] {
  const { reconnects, refusals, wrongReaders, judged, refreshes, clients, eventsPerSecond } = report;
  // A page renews its credential itself, and tells nobody.
  const renewedMin = (clients - 2) * Math.floor((asked.minutes * 60) / asked.signInSeconds);
  const grown = asked.minutes < memoryMinutesMin ? [] : report.growth.filter(isGrown);
  return [
    ...(reconnects > 0 ? [`${reconnects} connections ended, and nothing was wrong`] : []),
    ...(refusals > 0 ? [`${refusals} requests were refused, and nothing was wrong`] : []),
    ...(refreshes < renewedMin ? [`only ${refreshes} credentials were renewed, of at least ${renewedMin}`] : []),
    ...(wrongReaders.length > 0 ? [`${wrongReaders.length} readers did not apply what the log has`] : []),
    ...(judged.violations.length > 0 ? [`${judged.violations.length} violations`] : []),
    ...(eventsPerSecond < asked.eventsPerSecond * eventsShareMin
      ? [`only ${eventsPerSecond.toFixed(0)} events/s, of ${asked.eventsPerSecond}`]
      : []),
    ...grown.map(({ what, before, after }) => `${what} grew from ${mebibytes(before)} to ${mebibytes(after)}`),
  ];
}

/**
 * What is in use may not grow. What a process has taken from the system is told beside it and not judged: V8 takes room
 * for its young objects as it likes, and gives it back when the system asks.
 */
function isGrown({ what, before, after }: Growth): boolean {
  return what !== resident && after > before * growthMax;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
