/** The counts of several hosts, one after the other, as one session's. */
import type { SessionStatistics } from "../api.ts";

export const noStatistics: SessionStatistics = {
  received: 0,
  applied: 0,
  duplicatesSuppressed: 0,
  gapsRepaired: 0,
  reconnects: 0,
  longestGapMs: 0,
  unknownMessages: 0,
  problems: 0,
};

/** What came before, and what this host says; how late things are shown is the tab's own. */
export function addStatistics(
  before: SessionStatistics,
  now: SessionStatistics,
  lag: Pick<SessionStatistics, "displayLagP50Ms" | "displayLagP99Ms">,
): SessionStatistics {
  const sum: { -readonly [Key in keyof SessionStatistics]: SessionStatistics[Key] } = {
    ...now,
    longestGapMs: Math.max(before.longestGapMs, now.longestGapMs),
    ...lag,
  };
  for (const key of [
    "received",
    "applied",
    "duplicatesSuppressed",
    "gapsRepaired",
    "reconnects",
    "unknownMessages",
    "problems",
  ] as const)
    sum[key] = before[key] + now[key];
  return sum;
}
