/** One agent: its threads, and where new work with it begins. */
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ThreadList } from "../features/fleet/ThreadList.tsx";
import { NewTerminalButton, NewThreadComposer } from "../features/thread/NewWork.tsx";
import { agentMark, liveLine } from "../shared/data/agentWords.ts";
import { useLive } from "../shared/data/LiveData.tsx";
import { visibleText } from "../shared/format/visibleText.ts";
import { Age } from "../shared/ui/Age.tsx";
import { StateMark } from "../shared/ui/StateMark.tsx";
import { BackLink } from "./BackLink.tsx";
import { useCanOperate } from "./roles.ts";

export function AgentPage(): ReactNode {
  const { agent: id } = useParams({ from: "/agents/$agent" });
  const { fleet } = useLive();
  const canOperate = useCanOperate();
  const agent = fleet.state.agents.get(id);
  if (agent === undefined) {
    return (
      <div className="flex flex-1 flex-col items-start gap-3 p-6">
        <BackLink to="/" label="Fleet" />
        <p className="text-muted">
          {fleet.isLoaded ? "There is no such agent, or it is not yours to see." : "Loading …"}
        </p>
      </div>
    );
  }
  const name = visibleText(agent.name);
  return (
    <section aria-label={`Agent ${name}`} className="flex min-w-0 flex-1 flex-col">
      <title>{`${name} – Holdfast`}</title>
      <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-3 py-1.5">
        <BackLink to="/" label="Fleet" />
        <h1 className="truncate text-lg font-semibold">{name}</h1>
        <p className="flex min-w-0 items-center gap-2 text-sm text-muted">
          <StateMark shape={agentMark(agent)} />
          <span className="truncate">{liveLine(agent)}</span>
          <span aria-hidden="true">·</span>
          <span className="whitespace-nowrap">
            {agent.status} for <Age at={agent.statusAt} />
          </span>
        </p>
        <span className="flex-1" />
        {canOperate && <NewTerminalButton agent={agent} />}
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto bg-surface">
        <h2 className="px-4 pt-3 text-xs font-semibold text-muted">Threads</h2>
        <ThreadList key={id} agent={id} chosen={undefined} />
      </div>
      {canOperate ? (
        <NewThreadComposer agent={agent} />
      ) : (
        <p className="border-t border-line p-3 text-sm text-muted">
          You can watch. To send commands, ask an admin for the role operator.
        </p>
      )}
    </section>
  );
}
