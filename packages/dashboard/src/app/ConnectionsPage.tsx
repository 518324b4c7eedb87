/** How this server's connections are, for admins: what is wrong now, the figures, the last ones that ended. */
import type { ReactNode } from "react";
import { Figures, Problems } from "../features/connections/Figures.tsx";
import { RecordList } from "../features/connections/RecordList.tsx";
import { useDiagnostics } from "../features/connections/useDiagnostics.ts";
import { problemText } from "../shared/format/problem.ts";
import { BackLink } from "./BackLink.tsx";

export function ConnectionsPage(): ReactNode {
  const { diagnostics, error } = useDiagnostics();
  return (
    <section aria-label="Connections" className="flex min-w-0 flex-1 flex-col">
      <title>Connections – Holdfast</title>
      <header className="flex min-h-12 items-center gap-x-3 border-b border-line bg-surface px-3 py-1.5">
        <BackLink to="/" label="Fleet" />
        <h1 className="truncate text-lg font-semibold">Connections</h1>
      </header>
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-4">
        {error !== undefined && (
          <p role="alert" className="text-danger">
            {problemText(error)}
          </p>
        )}
        {diagnostics === undefined ? (
          error === undefined && <p className="text-muted">Loading …</p>
        ) : (
          <>
            <Problems problems={diagnostics.problems} />
            <Figures diagnostics={diagnostics} />
            <RecordList records={diagnostics.records} />
          </>
        )}
      </div>
    </section>
  );
}
