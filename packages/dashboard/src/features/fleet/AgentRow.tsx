/** One agent: its state by shape, who it is, what it does now, since when, how many commands wait. */
import type { Agent } from "@holdfast/control/contract";
import { Link } from "@tanstack/react-router";
import { type KeyboardEvent, memo, type ReactNode } from "react";
import { agentMark, liveLine } from "../../shared/data/agentWords.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Age } from "../../shared/ui/Age.tsx";
import { StateMark } from "../../shared/ui/StateMark.tsx";

/** An event changes one agent: the rows of the others stay as they are. */
export const AgentRow = memo(function AgentRow(props: {
  readonly agent: Agent;
  readonly isChosen: boolean;
}): ReactNode {
  const { agent, isChosen } = props;
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
      onKeyDown={moveBetweenRows}
      aria-current={isChosen ? "true" : undefined}
      className={`block rounded-md px-2 py-1.5 ${isChosen ? "bg-chosen" : "hover:bg-hover"}`}
    >
      <span className="flex items-baseline gap-2">
        <span className="self-center">
          <StateMark shape={agentMark(agent)} />
        </span>
        <span className="max-w-40 shrink-0 truncate font-medium">{visibleText(agent.name)}</span>
        <span className="min-w-0 flex-1 truncate text-sm text-muted">
          {visibleText(agent.host)} · {agent.kind}
        </span>
        <Age at={agent.statusAt} className="text-xs whitespace-nowrap text-muted" />
      </span>
      <span className="flex items-baseline gap-2 pl-5 text-muted">
        <span
          className={`min-w-0 flex-1 truncate ${agent.commandText === null ? "text-sm" : "font-mono text-xs leading-5"}`}
        >
          {liveLine(agent)}
        </span>
        {agent.queued > 0 && (
          <span className="text-xs whitespace-nowrap tabular-nums">{agent.queued.toLocaleString("en-GB")} queued</span>
        )}
      </span>
    </Link>
  );
});

/** The arrow keys move between rows, which Tab reaches too. */
function moveBetweenRows(event: KeyboardEvent<HTMLElement>): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const rows = [
    ...(event.currentTarget.closest("[data-fleet]")?.querySelectorAll<HTMLElement>("[data-fleet-row]") ?? []),
  ];
  const next = rows[rows.indexOf(event.currentTarget) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
