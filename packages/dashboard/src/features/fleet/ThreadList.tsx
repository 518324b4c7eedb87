/** The threads of one agent, the newest first; older ones than the stream holds are read when asked for. */
import type { ControlMethods, Thread } from "@holdfast/control/contract";
import { useRequest } from "@holdfast/react";
import { Link } from "@tanstack/react-router";
import { memo, type ReactNode, useMemo, useState } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { threadsOf } from "../../shared/data/threadsState.ts";
import { hasNews, useMarks } from "../../shared/data/useMarks.ts";
import { problemText } from "../../shared/format/problem.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Age } from "../../shared/ui/Age.tsx";
import { Button } from "../../shared/ui/Button.tsx";
import { TerminalIcon } from "../../shared/ui/icons.tsx";

export function ThreadList(props: { readonly agent: string; readonly chosen: string | undefined }): ReactNode {
  const { agent, chosen } = props;
  const { threads } = useLive();
  const marks = useMarks();
  const [older, setOlder] = useState<readonly Thread[]>([]);
  const shown = useMemo(() => threadsOf(threads.state, older, agent), [threads.state, older, agent]);
  return (
    <div className="flex flex-col gap-1 p-2">
      {shown.length === 0 && (
        <p className="p-2 text-muted">
          {threads.isLoaded ? "Work with this agent will be listed here: send it a command to begin." : "Loading …"}
        </p>
      )}
      <ul>
        {shown.map((thread) => (
          <li key={thread.id}>
            <ThreadRow
              thread={thread}
              isChosen={thread.id === chosen}
              isUnread={thread.id !== chosen && hasNews(marks, thread)}
            />
          </li>
        ))}
      </ul>
      {threads.state.truncated && (
        <OlderThreads agent={agent} onRead={(more) => setOlder((before) => [...before, ...more])} />
      )}
    </div>
  );
}

/** An event changes one thread: the rows of the others stay as they are. */
const ThreadRow = memo(function ThreadRow(props: {
  readonly thread: Thread;
  readonly isChosen: boolean;
  readonly isUnread: boolean;
}): ReactNode {
  const { thread, isChosen, isUnread } = props;
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
      {isUnread && (
        <span data-testid="unread" className="size-2 shrink-0 rounded-full bg-accent">
          <span className="sr-only">unread</span>
        </span>
      )}
      <Age at={thread.activeAt} className="text-xs text-muted" />
    </Link>
  );
});

/** Pages of `thread.list`, from the newest on: what the stream already gave is shown once. */
function OlderThreads(props: {
  readonly agent: string;
  readonly onRead: (threads: readonly Thread[]) => void;
}): ReactNode {
  const list = useRequest<ControlMethods, "thread.list">("thread.list");
  const [next, setNext] = useState<string | "end" | undefined>();
  if (next === "end") return null;
  const read = async (): Promise<void> => {
    const page = await list
      .send({ agent: props.agent, ...(next === undefined ? {} : { next }) })
      .catch(() => undefined);
    if (page === undefined) return;
    props.onRead(page.items);
    setNext(page.next ?? "end");
  };
  return (
    <div className="flex flex-col items-start gap-1 px-2">
      <Button onClick={() => void read()} disabled={list.pending}>
        {list.pending ? "Reading …" : "Older threads"}
      </Button>
      {list.error !== undefined && list.error !== null && (
        <p role="alert" className="text-sm text-danger">
          {problemText(list.error)}
        </p>
      )}
    </div>
  );
}
