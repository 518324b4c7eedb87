/** Try to break it: bad weather for this page's own link, in development mode for the whole server, and the ledger beside it. */
import type { ReactNode } from "react";
import { Counts } from "../features/connection/Counts.tsx";
import { useConnectionFacts } from "../features/connection/useConnectionFacts.ts";
import { LedgerTable } from "../features/weather/LedgerTable.tsx";
import { ServerFaults } from "../features/weather/ServerFaults.tsx";
import { WeatherControls } from "../features/weather/WeatherControls.tsx";
import { useLive } from "../shared/data/LiveData.tsx";
import { BackLink } from "./BackLink.tsx";

export function WeatherPage(): ReactNode {
  const { facts } = useConnectionFacts();
  const { about } = useLive();
  return (
    <section aria-label="Weather" className="flex min-w-0 flex-1 flex-col">
      <title>Weather – Holdfast</title>
      <header className="flex min-h-12 items-center gap-x-3 border-b border-line bg-surface px-3 py-1.5">
        <BackLink to="/" label="Fleet" />
        <h1 className="truncate text-lg font-semibold">Weather</h1>
      </header>
      <div className="grid min-h-0 flex-1 content-start gap-6 overflow-y-auto p-4 xl:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-6">
          <WeatherControls />
          {about.faults !== undefined && <ServerFaults offered={about.faults} />}
        </div>
        <div className="flex min-w-0 flex-col gap-6">
          <section aria-label="Connection now" className="flex flex-col gap-1">
            <h2 className="text-xs font-semibold text-muted">Connection</h2>
            <p>
              {facts.link.text} · {facts.data.text}
            </p>
            <p className="max-w-prose text-sm text-muted">{facts.reason}</p>
          </section>
          <LedgerTable />
          <Counts />
        </div>
      </div>
    </section>
  );
}
