/**
 * The last connections that ended, newest last, in memory: what an operator looks at first.
 *
 * Invariant: at most {@link recordsMax}; what is older was told to the log, the metrics and the `connections` stream.
 */
import type { ConnectionRecord } from "./connectionRecord.ts";

export const recordsMax = 10_000;

export interface RecentRecords {
  add(record: ConnectionRecord): void;
  /** The newest `count`, newest first. */
  newest(count: number): readonly ConnectionRecord[];
}

export function createRecentRecords(max: number = recordsMax): RecentRecords {
  const ring: ConnectionRecord[] = [];
  let next = 0;
  return {
    add(record) {
      ring[next] = record;
      next = (next + 1) % max;
    },
    newest(count) {
      const found: ConnectionRecord[] = [];
      for (let back = 1; back <= Math.min(count, ring.length); back += 1) {
        const record = ring[(next - back + ring.length) % ring.length];
        if (record !== undefined) found.push(record);
      }
      return found;
    },
  };
}
