/** The counts of this session, by the session itself; each with its unit. */
import type { SessionStatistics } from "@holdfast/client";
import type { ReactNode } from "react";
import { useConnectionNow } from "../../shared/data/LiveData.tsx";
import { duration } from "../../shared/format/time.ts";

export function Counts(): ReactNode {
  const { statistics } = useConnectionNow();
  return (
    <div>
      <h2 className="mb-1 text-xs font-semibold text-muted">This session</h2>
      <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-0.5">
        {rowsOf(statistics).map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="text-right tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function rowsOf(statistics: SessionStatistics): readonly (readonly [string, string])[] {
  const { displayLagP50Ms, displayLagP99Ms } = statistics;
  const lag =
    displayLagP50Ms === undefined || displayLagP99Ms === undefined
      ? "not measured yet"
      : `${duration(displayLagP50Ms)}, p99 ${duration(displayLagP99Ms)}`;
  return [
    ["Events received", number(statistics.received)],
    ["Applied", number(statistics.applied)],
    ["Duplicates suppressed", number(statistics.duplicatesSuppressed)],
    ["Gaps repaired", number(statistics.gapsRepaired)],
    ["Reconnects", number(statistics.reconnects)],
    ["Longest gap", duration(statistics.longestGapMs)],
    ["Display lag", lag],
  ];
}

const number = (value: number): string => value.toLocaleString("en-GB");
