/** One agent: its threads, and where new work with it begins. Of one that was removed the threads are left. */
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { RemoveAgent } from "../features/fleet/RemoveAgent.tsx";
import { ThreadList } from "../features/fleet/ThreadList.tsx";
import { NewTerminalButton, NewThreadComposer } from "../features/thread/NewWork.tsx";
import { agentMark, liveLine } from "../shared/data/agentWords.ts";
import { type KnownAgent, useKnownAgent } from "../shared/data/useKnown.ts";
import { visibleText } from "../shared/format/visibleText.ts";
import { Age } from "../shared/ui/Age.tsx";
import { NotKnown } from "../shared/ui/NotKnown.tsx";
import { StateMark } from "../shared/ui/StateMark.tsx";
import { BackLink } from "./BackLink.tsx";
import { useCanOperate, useIsAdmin } from "./roles.ts";

export function AgentPage(): ReactNode {
  const { agent: id } = useParams({ from: "/agents/$agent" });
  const known = useKnownAgent(id);
  const canOperate = useCanOperate();
  const isAdmin = useIsAdmin();
  if (known.kind !== "known") {
    return (
      <div className="flex flex-1 flex-col items-start gap-3 p-6">
        <BackLink to="/" label="Fleet" />
        <NotKnown known={known} what="agent" />
      </div>
    );
  }
  const agent = known.it;
  const isRemoved = agent.removedAt !== undefined;
  const name = visibleText(agent.name);
  return (
    <section aria-label={`Agent ${name}`} className="flex min-w-0 flex-1 flex-col">
      <title>{`${name} – Holdfast`}</title>
      <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-3 py-1.5">
        <BackLink to="/" label="Fleet" />
        <h1 className="truncate text-lg font-semibold">{name}</h1>
        <AgentLine agent={agent} />
        <span className="flex-1" />
        {canOperate && !isRemoved && <NewTerminalButton agent={agent} />}
        {isAdmin && !isRemoved && <RemoveAgent agent={agent} />}
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto bg-surface">
        <ThreadList key={id} agent={id} chosen={undefined} heading="Threads" />
      </div>
      {canOperate && !isRemoved ? (
        <NewThreadComposer agent={agent} />
      ) : (
        <p className="border-t border-line p-3 text-sm text-muted">
          {isRemoved
            ? "This agent was removed: what it did can be read, and nothing can be sent to it."
            : "You can watch. To send commands, ask an admin for the role operator."}
        </p>
      )}
    </section>
  );
}

/** What it does, and since when it is there or not. */
function AgentLine({ agent }: { readonly agent: KnownAgent }): ReactNode {
  return (
    <p data-testid="agent-line" className="flex min-w-0 items-center gap-2 text-sm text-muted">
      <StateMark shape={agentMark(agent)} />
      {agent.removedAt === undefined && (
        <>
          <span className="truncate">{liveLine(agent)}</span>
          <span aria-hidden="true">·</span>
        </>
      )}
      <span className="whitespace-nowrap">
        {agent.removedAt === undefined ? `${agent.status} for ` : "removed · "}
        <Age at={agent.statusAt} />
      </span>
    </p>
  );
}
