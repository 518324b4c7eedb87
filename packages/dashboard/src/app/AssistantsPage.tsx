/** Which chat assistants there are, for admins. */
import type { ReactNode } from "react";
import { AssistantList } from "../features/assistants/AssistantList.tsx";
import { BackLink } from "./BackLink.tsx";
import { useIsAdmin } from "./roles.ts";

export function AssistantsPage(): ReactNode {
  const isAdmin = useIsAdmin();
  return (
    <section aria-label="Assistants" className="flex min-w-0 flex-1 flex-col">
      <title>Assistants – Holdfast</title>
      <header className="flex min-h-12 items-center gap-x-3 border-b border-line bg-surface px-3 py-1.5">
        <BackLink to="/" label="Fleet" />
        <h1 className="truncate text-lg font-semibold">Assistants</h1>
      </header>
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-4">
        {isAdmin ? <AssistantList /> : <p className="text-muted">Only admins see and change the assistants.</p>}
      </div>
    </section>
  );
}
