/** A command's row as it travels, and how a priority is kept in it. */
import type { Command, CommandPriority, Usage } from "../contract/index.ts";
import type { CommandsTable } from "./tables.ts";

/** Sorts as the queue does. */
export const priorityRanks = { high: 0, normal: 1, low: 2 } as const satisfies Record<CommandPriority, number>;

export function wholeCommand(row: Omit<CommandsTable, "workspace" | "progress" | "inferred">): Command {
  return {
    id: row.id,
    thread: row.thread,
    agent: row.agent,
    text: row.text,
    state: row.state,
    priority: priorityOf(Number(row.priority)),
    outcome: row.outcome,
    reason: row.reason,
    exitCode: row.exit_code,
    sentBy: row.sent_by,
    queuedAt: Number(row.queued_at),
    dispatchedAt: numberOrNull(row.dispatched_at),
    startedAt: numberOrNull(row.started_at),
    finishedAt: numberOrNull(row.finished_at),
    durationMs: numberOrNull(row.duration_ms),
    expiresAt: numberOrNull(row.expires_at),
    ...(row.usage === null ? {} : { usage: JSON.parse(row.usage) as Usage }),
    ...(row.retry_of === null ? {} : { retryOf: row.retry_of }),
  };
}

function priorityOf(rank: number): CommandPriority {
  if (rank === priorityRanks.high) return "high";
  return rank === priorityRanks.low ? "low" : "normal";
}

/** PostgreSQL gives its big integers as text. */
const numberOrNull = (value: number | null): number | null => (value === null ? null : Number(value));
