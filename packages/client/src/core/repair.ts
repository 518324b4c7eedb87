/**
 * Gaps: ask again from the cursor, one at a time, jittered, slower when it happens again and again (ST-5).
 *
 * Invariant: a stream that misses something always has a repair due or an answer to come.
 */
import { limits, readRetryAfter } from "@holdfast/protocol";
import { gapRepairsBeforeDoubling, gapRepairWindowMs } from "./limits.ts";
import type { SessionContext } from "./sessionCore.ts";
import type { Stream } from "./streamState.ts";

/** Plans one repair, unless one is planned. `retryAfter` (ms) is a floor, where a refusal gave one. */
export function requestRepair(stream: Stream, { now, random }: SessionContext, retryAfter?: number): void {
  const { repair } = stream;
  if (repair.atMs !== undefined || stream.stale) return;
  repair.recentMs = repair.recentMs.filter((atMs) => now - atMs < gapRepairWindowMs);
  const doublings = Math.max(0, repair.recentMs.length - gapRepairsBeforeDoubling + 1);
  const rangeMs = Math.min(limits.gapRepairCapMs, limits.gapRepairJitterMs * 2 ** doublings);
  repair.atMs = now + (readRetryAfter(retryAfter) ?? 0) + random.fraction() * rangeMs;
}

/** A repair is due: ask again. */
export function beginRepair(stream: Stream, now: number): void {
  stream.repair.atMs = undefined;
  stream.repair.recentMs.push(now);
  stream.repair.underWay = stream.refused === undefined;
  stream.stale = true;
}
