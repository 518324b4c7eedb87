/** All threads, whoever they are with: also those of agents that were removed, and those that were put away. */
import type { ReactNode } from "react";
import { ThreadList } from "../features/fleet/ThreadList.tsx";
import { BackLink } from "./BackLink.tsx";

export function ThreadsPage(): ReactNode {
  return (
    <section aria-label="Threads" className="flex min-w-0 flex-1 flex-col">
      <title>Threads – Holdfast</title>
      <header className="flex min-h-12 items-center gap-x-3 border-b border-line bg-surface px-3 py-1.5">
        <BackLink to="/" label="Fleet" />
        <h1 className="truncate text-lg font-semibold">Threads</h1>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto bg-surface">
        <ThreadList agent={undefined} chosen={undefined} heading="All agents" />
      </div>
    </section>
  );
}
