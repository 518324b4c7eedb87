/** How a node's connections are: what is wrong now, in sentences, and the figures behind it. */
import type { Diagnostics } from "@holdfast/protocol/schema";
import type { ReactNode } from "react";
import { endWord } from "./recordWords.ts";

export function Problems({ problems }: { readonly problems: readonly string[] }): ReactNode {
  if (problems.length === 0)
    return (
      <p role="status" data-testid="problems" className="text-muted">
        Nothing is wrong that this server knows of.
      </p>
    );
  return (
    <ul role="alert" data-testid="problems" className="flex flex-col gap-1 rounded-md border border-danger p-3">
      {problems.map((problem) => (
        <li key={problem}>{problem}</li>
      ))}
    </ul>
  );
}

export function Figures({ diagnostics }: { readonly diagnostics: Diagnostics }): ReactNode {
  const { connections, deliveries, stormFactor, retriesIgnored, lately, store } = diagnostics;
  const minutes = Math.round(lately.withinMs / 60_000);
  const codes = Object.entries(lately.codes).sort(([, left], [, right]) => right - left);
  const rows: readonly (readonly [string, string])[] = [
    ["Open now", number(connections)],
    ["Events delivered", number(deliveries)],
    ["Openings a client, last minute", stormFactor.toLocaleString("en-GB", { maximumFractionDigits: 2 })],
    ["Openings before their time", number(retriesIgnored)],
    [`Ended in ${minutes} min`, number(lately.ended)],
    ["Short and unexpected", number(lately.short)],
    ["Never welcomed", number(lately.notWelcomed)],
    ["Duplicates suppressed", number(lately.duplicatesSuppressed)],
    ["Gaps repaired", number(lately.gapsRepaired)],
    ...(store === undefined ? [] : storeRows(store)),
  ];
  return (
    <section aria-label="Figures">
      <dl className="grid grid-cols-1 gap-x-8 gap-y-0.5 sm:grid-cols-2 xl:grid-cols-3">
        {rows.map(([name, value]) => (
          <div key={name} className="flex justify-between gap-4 border-b border-line py-1">
            <dt className="text-muted">{name}</dt>
            <dd className="tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      {codes.length > 0 && (
        <p className="pt-2 text-sm text-muted">
          Why they ended:{" "}
          {codes.map(([code, times]) => `${endWord({ code: Number(code) })} × ${number(times)}`).join(", ")}
        </p>
      )}
    </section>
  );
}

/** What is kept, and what it takes; the limit is reached where none of it may go. */
function storeRows({ eventBytes, diskBytes, removedEvents, isFull }: NonNullable<Diagnostics["store"]>) {
  return [
    [isFull ? "Events kept, above the limit" : "Events kept", megabytes(eventBytes)],
    ["Store on disk", megabytes(diskBytes)],
    ["Events past their time, removed", number(removedEvents)],
  ] as const;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toLocaleString("en-GB", { maximumFractionDigits: 1 })} MB`;
}

function number(value: number): string {
  return value.toLocaleString("en-GB");
}
