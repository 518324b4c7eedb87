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
import type { ConnectionRecord } from "./connectionRecord.ts";
import { shortMs } from "./connectionRecord.ts";
import type { RecentRecords } from "./recentRecords.ts";

const recordsMax = 200;
/** How far back is looked for what is wrong now, ms. */
const recentMs = 5 * 60_000;
/** Fewer ends than this are no share of anything. */
const endsMin = 10;
const shortShareMax = 0.2;
const stormFactorMax = 2;

export interface DiagnosticsSources {
  readonly node: string;
  readonly now: () => number;
  readonly recent: RecentRecords;
  readonly health: Pick<StoreHealth, "degraded">;
  readonly connections: () => number;
  readonly deliveries: () => number;
  readonly stormFactor: () => number;
  readonly retriesIgnored: () => number;
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
  const { node, now, recent, health, connections, deliveries, stormFactor, retriesIgnored } = sources;
  const at = now();
  const factor = Math.round(stormFactor() * 100) / 100;
  const lately = recent.newest(Number.POSITIVE_INFINITY).filter((record) => at - endOf(record) <= recentMs);
  return {
    node,
    now: at,
    connections: connections(),
    deliveries: deliveries(),
    stormFactor: factor,
    retriesIgnored: retriesIgnored(),
    ...(health.degraded && { degraded: health.degraded }),
    lately: summaryOf(lately),
    problems: problemsOf(sources, lately, factor),
    records: [...recent.newest(count)],
  };
}

const endOf = ({ at, durationMs }: ConnectionRecord): number => at + durationMs;

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

const isShort = ({ durationMs, expected }: ConnectionRecord): boolean => durationMs < shortMs && !expected;

/** What is wrong now, the worst first, each in one sentence. */
function problemsOf(sources: DiagnosticsSources, lately: readonly ConnectionRecord[], factor: number): string[] {
  const problems: string[] = [];
  const { degraded } = sources.health;
  if (degraded !== undefined)
    problems.push(
      `The database does not answer since ${new Date(degraded.since).toISOString()}: nobody is closed, and nothing new is stored.`,
    );
  if (factor > stormFactorMax)
    problems.push(`Each client opened ${factor} connections in the last minute; 1 is a calm day.`);
  const short = lately.filter(isShort);
  if (lately.length >= endsMin && short.length / lately.length > shortShareMax)
    problems.push(
      `${short.length} of ${lately.length} connections that ended in ${recentMs / 60_000} minutes lived less than ${shortMs / 1_000} s, most with code ${mostOf(short.map(({ code }) => code))}.`,
    );
  const errors = lately.flatMap((record) => Object.keys(record.errors));
  const internal = errors.filter((code) => code === "internal").length;
  if (internal > 0) problems.push(`${internal} connections were told of an error of ours; the log has it by name.`);
  return problems;
}

/** The commonest one. */
function mostOf(codes: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort(([, left], [, right]) => right - left)[0]?.[0];
}
