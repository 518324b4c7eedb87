/** One agent: its state by shape, who it is, what it does now, since when, how many commands wait. */
import type { Agent } from "@holdfast/control/contract";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { count } from "../../shared/format/count.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Age } from "../../shared/ui/Age.tsx";
import { StateMark } from "../../shared/ui/StateMark.tsx";
import { agentMark, liveLine } from "../../shared/data/agentWords.ts";

export function AgentRow({ agent, isChosen }: { readonly agent: Agent; readonly isChosen: boolean }): ReactNode {
  return (
    <Link
      to="/agents/$agent"
      params={{ agent: agent.id }}
      data-testid="agent-row"
      data-agent={agent.id}
      data-name={agent.name}
      data-status={agent.status}
      data-activity={agent.activity}
      data-fleet-row=""
      aria-current={isChosen ? "true" : undefined}
      className={`grid grid-cols-[auto_minmax(0,1fr)_auto] items-baseline gap-x-2 rounded-md px-2 py-1.5 ${isChosen ? "bg-chosen" : "hover:bg-hover"}`}
    >
      <span className="self-center">
        <StateMark shape={agentMark(agent)} />
      </span>
      <span className="truncate">
        <span className="font-medium">{visibleText(agent.name)}</span>{" "}
        <span className="text-sm text-muted">
          {visibleText(agent.host)} · {agent.kind}
        </span>
      </span>
      <Age at={agent.statusAt} className="text-right text-xs text-muted" />
      <span className={`col-start-2 truncate text-sm text-muted ${agent.commandText === null ? "" : "font-mono text-xs"}`}>
        {liveLine(agent)}
      </span>
      <span className="text-right text-xs text-muted tabular-nums">
        {agent.queued > 0 && `${count(agent.queued, "command")} queued`}
      </span>
    </Link>
  );
}
