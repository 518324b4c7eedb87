/**
 * Tells the server up to when this person has seen a thread: while its view is in sight, at news.
 *
 * One mark for all of a person's devices; a failed telling is made good by the next. A thread that is being written to has
 * news many times a second: what follows within {@link markApartMs} is told together, and at once where the person leaves.
 */
import type { Thread } from "@holdfast/control/contract";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { useMarks } from "../../shared/data/useMarks.ts";
import { pageClock } from "../../shared/platform/clockShell.ts";

/** Between two marks of one view, ms. */
export const markApartMs = 1_000;

export function useMarkRead(thread: Thread | undefined): void {
  const { session } = useLive();
  const marks = useMarks();
  const isInSight = useSyncExternalStore(onSight, () => document.visibilityState === "visible");
  const [id, at] = [thread?.id, thread?.activeAt];
  const isNews = id !== undefined && at !== undefined && marks !== undefined && at > (marks.get(id) ?? 0);
  const told = useRef(Number.NEGATIVE_INFINITY);
  const waiting = useRef<() => void>(undefined);
  useEffect(() => {
    const unsaid = waiting.current;
    waiting.current = undefined;
    if (!isNews) return;
    if (!isInSight) {
      // It was seen all the same.
      unsaid?.();
      return;
    }
    const mark = (): void => {
      waiting.current = undefined;
      told.current = pageClock.now();
      session.call("thread.markRead", { thread: id, at }).catch(() => undefined);
    };
    const waitMs = told.current + markApartMs - pageClock.now();
    if (waitMs <= 0) {
      mark();
      return;
    }
    waiting.current = mark;
    // A clock that was set back must not hold it for longer.
    return pageClock.after(Math.min(waitMs, markApartMs), mark);
  }, [session, id, at, isNews, isInSight]);
  useEffect(() => () => waiting.current?.(), []);
}

function onSight(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => document.removeEventListener("visibilitychange", listener);
}
