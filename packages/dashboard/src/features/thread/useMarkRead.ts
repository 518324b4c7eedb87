/**
 * Tells the server up to when this person has seen a thread: while its view is in sight, at each news.
 *
 * One mark for all of a person's devices; a failed telling is made good by the next.
 */
import type { Thread } from "@holdfast/control/contract";
import { useEffect, useSyncExternalStore } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { useMarks } from "../../shared/data/useMarks.ts";

export function useMarkRead(thread: Thread | undefined): void {
  const { session } = useLive();
  const marks = useMarks();
  const isInSight = useSyncExternalStore(onSight, () => document.visibilityState === "visible");
  const [id, at] = [thread?.id, thread?.activeAt];
  const isNews = id !== undefined && at !== undefined && marks !== undefined && at > (marks.get(id) ?? 0);
  useEffect(() => {
    if (isNews && isInSight) session.call("thread.markRead", { thread: id, at }).catch(() => undefined);
  }, [session, id, at, isNews, isInSight]);
}

function onSight(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}
