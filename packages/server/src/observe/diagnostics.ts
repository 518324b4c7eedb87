/**
 * `diagnostics.get`: what an admin asks of a node when something seems wrong, and what is wrong, in sentences.
 *
 * Invariant: it is computed when asked, from what the node holds in memory; figures are of this node alone, and of the
 * last connections that it remembers. It deliberately keeps no history: the `connections` stream does.
 */
import { type Diagnostics, diagnostics } from "@holdfast/protocol/schema";
import { z } from "zod";
import type { StoreHealth } from "../admission/storeHealth.ts";
import type { NodeMethod } from "../methods/nodeMethod.ts";
import { type Alert, isShort, recentMs } from "./alertRules.ts";
import type { ConnectionRecord } from "./connectionRecord.ts";
import type { RecentRecords } from "./recentRecords.ts";

const recordsMax = 200;

export interface DiagnosticsSources {
  readonly node: string;
  readonly now: () => number;
  readonly recent: RecentRecords;
  readonly health: Pick<StoreHealth, "degraded">;
  readonly connections: () => number;
  readonly deliveries: () => number;
  readonly stormFactor: () => number;
  readonly retriesIgnored: () => number;
  /** Undefined before retention has looked. */
  readonly store: () => Diagnostics["store"];
  /** What is wrong now, the worst first. */
  readonly problems: () => readonly Alert[];
}

const parameters = z.strictObject({
  /** How many of the newest records. */
  records: z.int().min(0).max(recordsMax).default(recordsMax),
});

export function diagnosticsMethod(sources: DiagnosticsSources): NodeMethod {
  return {
    kind: "read",
    role: "admin",
    doc: "How this node's connections are, the last ones that ended, and what is wrong now.",
    params: parameters,
    result: diagnostics,
    answer: ({ records }: z.output<typeof parameters>) => diagnose(sources, records),
  };
}

function diagnose(sources: DiagnosticsSources, count: number): Diagnostics {
  const { node, now, recent, health, connections, deliveries, stormFactor, retriesIgnored, problems } = sources;
  const store = sources.store();
  const at = now();
  const lately = endedLately(recent, at);
  return {
    node,
    now: at,
    connections: connections(),
    deliveries: deliveries(),
    stormFactor: Math.round(stormFactor() * 100) / 100,
    retriesIgnored: retriesIgnored(),
    ...(store && { store }),
    ...(health.degraded && { degraded: health.degraded }),
    lately: summaryOf(lately),
    problems: problems().map(({ sentence }) => sentence),
    records: [...recent.newest(count)],
  };
}

/** The connections that ended within the last {@link recentMs}, the newest first. */
export function endedLately(recent: RecentRecords, now: number): readonly ConnectionRecord[] {
  return recent.newest(Number.POSITIVE_INFINITY).filter(({ at, durationMs }) => now - at - durationMs <= recentMs);
}

/** Of the connections that ended in the last {@link recentMs}. */
function summaryOf(records: readonly ConnectionRecord[]): Diagnostics["lately"] {
  const codes: Record<string, number> = {};
  for (const { code } of records) codes[code] = (codes[code] ?? 0) + 1;
  const figures = records.flatMap((record) => (record.figures === undefined ? [] : [record.figures]));
  return {
    withinMs: recentMs,
    ended: records.length,
    short: records.filter(isShort).length,
    notWelcomed: records.filter(({ phases }) => phases.welcomed === undefined).length,
    codes,
    duplicatesSuppressed: figures.reduce((sum, { duplicatesSuppressed }) => sum + duplicatesSuppressed, 0),
    gapsRepaired: figures.reduce((sum, { gapsRepaired }) => sum + gapsRepaired, 0),
  };
}
