/**
 * Puts a thread away, and brings it back. It waits for a link, as what is sent does.
 *
 * No question is asked before it, since nothing is lost by it: the way back stands in its place.
 */
import type { Thread } from "@holdfast/control/contract";
import { type ReactNode, useState } from "react";
import { isLinked } from "../../shared/data/connectionHistory.ts";
import { useConnectionNow, useLive } from "../../shared/data/LiveData.tsx";
import { problemText } from "../../shared/format/problem.ts";
import { Age } from "../../shared/ui/Age.tsx";
import { Button } from "../../shared/ui/Button.tsx";

export function ArchiveButton({ thread }: { readonly thread: Thread }): ReactNode {
  const { isAsked, problem, archive } = useArchive(thread);
  if (thread.archivedAt !== undefined) return null;
  return (
    <>
      {problem !== undefined && (
        <p role="alert" className="order-last w-full text-sm text-danger">
          {problem}
        </p>
      )}
      <Button tone="quiet" data-testid="thread-archive" disabled={isAsked} onClick={() => void archive(true)}>
        {isAsked ? "Archiving …" : "Archive"}
      </Button>
    </>
  );
}

/** Says that a thread is put away, and how it comes back. */
export function ArchivedNotice(props: { readonly thread: Thread; readonly canOperate: boolean }): ReactNode {
  const { thread, canOperate } = props;
  const { isAsked, problem, archive } = useArchive(thread);
  if (thread.archivedAt === undefined) return null;
  return (
    <div
      data-testid="archived"
      className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-3 py-1 text-sm text-muted"
    >
      <p className="min-w-0 flex-1">
        Archived · <Age at={thread.archivedAt} /> · What is sent here brings it back to the list.
      </p>
      {canOperate && (
        <Button data-testid="thread-unarchive" disabled={isAsked} onClick={() => void archive(false)}>
          {isAsked ? "Bringing back …" : "Bring back"}
        </Button>
      )}
      {problem !== undefined && (
        <p role="alert" className="w-full text-danger">
          {problem}
        </p>
      )}
    </div>
  );
}

function useArchive({ id }: Thread) {
  const { session } = useLive();
  const { state } = useConnectionNow();
  const [isAsked, setAsked] = useState(false);
  const [problem, setProblem] = useState<string>();
  const archive = async (archived: boolean): Promise<void> => {
    setAsked(true);
    setProblem(isLinked(state) ? undefined : "No connection: this is saved here, and done as soon as there is one.");
    try {
      await session.call("thread.archive", { thread: id, archived }, { durable: true, lane: id });
      setProblem(undefined);
    } catch (error) {
      setProblem(problemText(error));
    }
    setAsked(false);
  };
  return { isAsked, problem, archive };
}
