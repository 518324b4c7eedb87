/** How far away the server is, from a few pings: their median, and their worst. Pure. */
import { doubtful, type Finding, sound } from "./finding.ts";

export const pings = 10;
/** A median over it is a slow link: a person feels it at each key. */
export const slowMs = 500;

/** `times`: of each ping, ms. */
export function judgeRoundTrips(times: readonly number[]): Finding {
  const sorted = times.toSorted((left, right) => left - right);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  const worst = sorted.at(-1) ?? 0;
  const says = `${times.length} pings, median ${shown(median)}, worst ${shown(worst)}`;
  if (median <= slowMs) return sound(says);
  return doubtful(
    `${says}: a slow link, over ${slowMs} ms`,
    "everything works and is felt late; see what is in between (VPN, proxy, a busy line), or how busy the server is",
  );
}

function shown(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
