/**
 * Threads, of one agent or of all, the newest first; those that are archived behind a switch. What the stream does not hold
 * (older ones, archived ones) is read when asked for.
 */

import type { Thread } from "@holdfast/control/contract";
import { Link } from "@tanstack/react-router";
import { memo, type ReactNode, useCallback, useMemo, useState } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { type ThreadFilter, threadsOf } from "../../shared/data/threadsState.ts";
import { hasNews, useMarks } from "../../shared/data/useMarks.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Age } from "../../shared/ui/Age.tsx";
import { Button } from "../../shared/ui/Button.tsx";
import { TerminalIcon } from "../../shared/ui/icons.tsx";
import { MoreThreads } from "./MoreThreads.tsx";

export function ThreadList(props: {
  /** Undefined: all, each with whose it is. */
  readonly agent: string | undefined;
  readonly chosen: string | undefined;
  readonly heading: ReactNode;
}): ReactNode {
  const { agent, chosen } = props;
  const [archived, setArchived] = useState(false);
  return (
    <div className="flex flex-col gap-1 p-2">
      <div className="flex items-center justify-between gap-2 pl-2">
        <h2 className="min-w-0 truncate text-xs font-semibold text-muted">{props.heading}</h2>
        <Button
          tone={archived ? "plain" : "quiet"}
          aria-pressed={archived}
          data-testid="show-archived"
          onClick={() => setArchived(!archived)}
        >
          Archived
        </Button>
      </div>
      <Threads key={String(archived)} agent={agent} chosen={chosen} archived={archived} />
    </div>
  );
}

function Threads({ chosen, ...filter }: ThreadFilter & { readonly chosen: string | undefined }): ReactNode {
  const { agent, archived } = filter;
  const { threads, fleet } = useLive();
  const marks = useMarks();
  const [older, setOlder] = useState<readonly Thread[]>([]);
  const [isRead, setRead] = useState(!archived);
  const shown = useMemo(
    () => threadsOf(threads.state, older, { agent, archived }),
    [threads.state, older, agent, archived],
  );
  const onRead = useCallback((more: readonly Thread[]) => {
    setOlder((before) => [...before, ...more]);
    setRead(true);
  }, []);
  return (
    <>
      {shown.length === 0 && <p className="p-2 text-muted">{emptyText(filter, threads.isLoaded && isRead)}</p>}
      <ul aria-label={archived ? "Archived threads" : "Threads"}>
        {shown.map((thread) => (
          <li key={thread.id}>
            <ThreadRow
              thread={thread}
              of={agent === undefined ? (fleet.state.agents.get(thread.agent)?.name ?? "a removed agent") : undefined}
              isChosen={thread.id === chosen}
              isUnread={thread.id !== chosen && hasNews(marks, thread)}
            />
          </li>
        ))}
      </ul>
      {(archived || threads.state.truncated) && <MoreThreads {...filter} onRead={onRead} />}
    </>
  );
}

function emptyText({ agent, archived }: ThreadFilter, isLoaded: boolean): string {
  if (!isLoaded) return "Loading …";
  if (archived) return "No thread is archived here. One that is put away by its Archive button is listed here.";
  return agent === undefined
    ? "Work with agents will be listed here: choose an agent and send it a command."
    : "Work with this agent will be listed here: send it a command to begin.";
}

/** An event changes one thread: the rows of the others stay as they are. */
const ThreadRow = memo(function ThreadRow(props: {
  readonly thread: Thread;
  /** The name of its agent, where that is not clear. */
  readonly of: string | undefined;
  readonly isChosen: boolean;
  readonly isUnread: boolean;
}): ReactNode {
  const { thread, of, isChosen, isUnread } = props;
  return (
    <Link
      to="/threads/$thread"
      params={{ thread: thread.id }}
      data-testid="thread-row"
      data-thread={thread.id}
      aria-current={isChosen ? "true" : undefined}
      className={`flex items-center gap-2 rounded-md px-2 py-1.5 ${isChosen ? "bg-chosen" : "hover:bg-hover"}`}
    >
      {thread.kind === "terminal" && (
        <span className="text-muted">
          <TerminalIcon />
        </span>
      )}
      <span className={`min-w-0 flex-1 truncate ${isUnread ? "font-semibold" : ""}`}>{visibleText(thread.title)}</span>
      {of !== undefined && <span className="max-w-40 truncate text-sm text-muted">{visibleText(of)}</span>}
      {isUnread && (
        <span data-testid="unread" className="size-2 shrink-0 rounded-full bg-accent">
          <span className="sr-only">unread</span>
        </span>
      )}
      <Age at={thread.activeAt} className="text-xs text-muted" />
    </Link>
  );
});
