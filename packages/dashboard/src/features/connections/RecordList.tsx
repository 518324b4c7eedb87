/** The last connections that ended: who, from where, how long, why; one row each, all of it when opened. */
import type { ConnectionRecord } from "@holdfast/protocol/schema";
import { type ReactNode, useMemo, useState } from "react";
import { count } from "../../shared/format/count.ts";
import { duration } from "../../shared/format/time.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Age } from "../../shared/ui/Age.tsx";
import { endWord, failedStep, isMeant } from "./recordWords.ts";

export function RecordList({ records }: { readonly records: readonly ConnectionRecord[] }): ReactNode {
  const [filter, setFilter] = useState("");
  const shown = useMemo(() => records.filter((record) => isMeant(record, filter)), [records, filter]);
  return (
    <section aria-label="Ended connections" className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h2 className="text-xs font-semibold text-muted">Ended connections</h2>
        <label className="flex flex-1 items-center gap-2 text-sm text-muted">
          <span className="sr-only">Filter by user, address or code</span>
          <input
            type="search"
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
            placeholder="User, address, code …"
            data-testid="records-filter"
            className="h-7 w-full max-w-72 rounded-md border border-line-strong bg-raised px-2 text-text"
          />
        </label>
        <p aria-live="polite" className="text-sm text-muted tabular-nums">
          {shown.length === records.length ? count(records.length, "record") : `${shown.length} of ${records.length}`}
        </p>
      </div>
      {records.length === 0 && (
        <p className="text-muted">Connections that end are listed here; none has since this server started.</p>
      )}
      <ul className="flex flex-col">
        {shown.map((record) => (
          <li key={record.connection} className="border-b border-line">
            <Row record={record} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Row({ record }: { readonly record: ConnectionRecord }): ReactNode {
  const { userName, client, address, durationMs, at, expected } = record;
  const step = failedStep(record);
  return (
    <details data-testid="record" data-code={record.code}>
      <summary className="grid cursor-pointer grid-cols-[1fr_auto] items-baseline gap-x-3 rounded-md px-2 py-1.5 hover:bg-hover sm:grid-cols-[minmax(0,1.2fr)_minmax(0,1fr)_5rem_4rem]">
        <span className="min-w-0 truncate">
          <span className="font-medium">{visibleText(userName ?? "not signed in")}</span>{" "}
          <span className="text-sm text-muted">
            {visibleText(client ?? "unnamed")} · {address}
          </span>
        </span>
        <span className={`truncate text-sm ${expected ? "text-muted" : "text-danger"}`}>
          {endWord(record)}
          {step !== undefined && ` ${step}`}
        </span>
        <span className="text-sm text-muted tabular-nums">{duration(durationMs)}</span>
        <Age at={at + durationMs} className="text-right text-xs text-muted" />
      </summary>
      <Facts record={record} />
    </details>
  );
}

function Facts({ record }: { readonly record: ConnectionRecord }): ReactNode {
  const { phases, handlingMs } = record;
  const errors = Object.entries(record.errors).map(([code, times]) => `${code} × ${times}`);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["Connection", record.connection],
    ["Began", new Date(record.at).toLocaleString()],
    ["User", record.user],
    ["Role", record.role],
    ["Attempt", record.attempt?.toLocaleString("en-GB")],
    [
      "Opening",
      [step("hello", phases.hello), step("admitted", phases.admitted), step("welcome", phases.welcomed)]
        .filter(Boolean)
        .join(", ") || "no hello",
    ],
    ["Came in", `${count(record.messagesIn, "message")}, ${count(record.bytesIn, "byte")}`],
    ["Went out", `${count(record.messagesOut, "message")}, ${count(record.bytesOut, "byte")}`],
    ["Worked on", `${duration(handlingMs.sum)}, the longest ${duration(handlingMs.longest)}`],
    ["Refused", errors.length === 0 ? undefined : errors.join(", ")],
    ["Closed with", `${record.code}${record.reason === "" ? "" : `, ${visibleText(record.reason)}`}`],
  ];
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 px-2 pt-1 pb-3 text-sm">
      {rows.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="min-w-0 break-words tabular-nums">{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function step(name: string, ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${name} after ${duration(ms)}`;
}
