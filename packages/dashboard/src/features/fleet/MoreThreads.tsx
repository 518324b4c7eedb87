/**
 * Pages of `thread.list`: of older threads when asked for, of archived ones the first by itself, since no stream holds them.
 *
 * What the stream already gave is shown once, by whoever lists it.
 */
import type { ControlMethods, Thread } from "@holdfast/control/contract";
import { useRequest } from "@holdfast/react";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import type { ThreadFilter } from "../../shared/data/threadsState.ts";
import { problemText } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";

export function MoreThreads(
  props: ThreadFilter & { readonly onRead: (threads: readonly Thread[]) => void },
): ReactNode {
  const { agent, archived, onRead } = props;
  const { send, pending, error } = useRequest<ControlMethods, "thread.list">("thread.list");
  const [next, setNext] = useState<string | "end" | undefined>();
  const read = useCallback(
    async (from: string | undefined): Promise<void> => {
      const filter = { archived, ...(agent === undefined ? {} : { agent }) };
      const page = await send({ ...filter, ...(from === undefined ? {} : { next: from }) }).catch(() => undefined);
      if (page === undefined) return;
      onRead(page.items);
      setNext(page.next ?? "end");
    },
    [send, agent, archived, onRead],
  );
  useEffect(() => {
    if (archived) void read(undefined);
  }, [archived, read]);
  if (next === "end" || (archived && next === undefined && error === undefined)) return null;
  return (
    <div className="flex flex-col items-start gap-1 px-2">
      <Button onClick={() => void read(next)} disabled={pending}>
        {pending ? "Reading …" : archived && next === undefined ? "Try again" : "Older threads"}
      </Button>
      {error !== undefined && (
        <p role="alert" className="text-sm text-danger">
          {problemText(error)}
        </p>
      )}
    </div>
  );
}
