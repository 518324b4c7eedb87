/** Who has done what to others' rights, secrets or work, for admins. */
import type { ReactNode } from "react";
import { AuditList } from "../features/audit/AuditList.tsx";
import { BackLink } from "./BackLink.tsx";

export function AuditPage(): ReactNode {
  return (
    <section aria-label="Audit" className="flex min-w-0 flex-1 flex-col">
      <title>Audit – Holdfast</title>
      <header className="flex min-h-12 items-center gap-x-3 border-b border-line bg-surface px-3 py-1.5">
        <BackLink to="/" label="Fleet" />
        <h1 className="truncate text-lg font-semibold">Audit</h1>
      </header>
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-4">
        <AuditList />
      </div>
    </section>
  );
}
