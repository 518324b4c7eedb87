/** One thread: who it is with, where it stands, and its view. */
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ThreadList } from "../features/fleet/ThreadList.tsx";
import { ThreadView } from "../features/thread/ThreadView.tsx";
import { agentMark } from "../shared/data/agentWords.ts";
import { useLive } from "../shared/data/LiveData.tsx";
import { visibleText } from "../shared/format/visibleText.ts";
import { StateMark } from "../shared/ui/StateMark.tsx";
import { BackLink } from "./BackLink.tsx";
import { useCanOperate } from "./roles.ts";

export function ThreadPage(): ReactNode {
  const { thread: id } = useParams({ from: "/threads/$thread" });
  const { fleet, threads } = useLive();
  const canOperate = useCanOperate();
  const thread = threads.state.threads.get(id);
  const agent = thread === undefined ? undefined : fleet.state.agents.get(thread.agent);
  // What kind of thread it is decides how it is drawn, so that has to be known first.
  if (thread === undefined && !(threads.isLoaded && fleet.isLoaded))
    return <p className="flex-1 p-6 text-muted">Loading …</p>;
  const title = thread === undefined ? "Thread" : visibleText(thread.title);
  return (
    <>
      {agent !== undefined && (
        <section
          aria-label={`Threads of ${visibleText(agent.name)}`}
          className="w-60 shrink-0 overflow-y-auto border-r border-line bg-surface max-lg:hidden"
        >
          <h2 className="px-4 pt-3 text-xs font-semibold text-muted">
            <Link to="/agents/$agent" params={{ agent: agent.id }} className="hover:underline">
              Threads of {visibleText(agent.name)}
            </Link>
          </h2>
          <ThreadList key={agent.id} agent={agent.id} chosen={id} />
        </section>
      )}
      <section aria-label={`Thread ${title}`} className="flex min-w-0 flex-1 flex-col">
        {/* A thread's title is what somebody asked for, and a tab's is kept in the browser's history (L2). */}
        <title>{`${agent === undefined ? "Thread" : `Thread with ${visibleText(agent.name)}`} – Holdfast`}</title>
        <header className="flex min-h-12 items-center gap-x-3 border-b border-line bg-surface px-3 py-1.5">
          {agent === undefined ? (
            <BackLink to="/" label="Fleet" />
          ) : (
            <BackLink to="/agents/$agent" agent={agent.id} label="Threads" />
          )}
          <h1 className="min-w-0 flex-1 truncate text-lg font-semibold">{title}</h1>
          {agent !== undefined && (
            <Link
              to="/agents/$agent"
              params={{ agent: agent.id }}
              className="inline-flex min-w-0 items-center gap-2 rounded-md px-1 text-sm hover:bg-hover"
            >
              <StateMark shape={agentMark(agent)} label={agent.status === "online" ? agent.activity : agent.status} />
              <span className="truncate">{visibleText(agent.name)}</span>
            </Link>
          )}
        </header>
        <ThreadView key={id} id={id} thread={thread} agent={agent} canOperate={canOperate} />
      </section>
    </>
  );
}
