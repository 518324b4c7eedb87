/**
 * A value that changes often, as often as drawing it is worth: the newest at most each `everyMs`, with twice as much time
 * free as the last drawing took, and the last always.
 *
 * React's own `useDeferredValue` promises no such thing: what it defers waits for ever where a drawing takes longer than
 * the value stays, since what is deferred never expires. An answer then stood still on a slow machine until it ended.
 */
import { useEffect, useRef, useState } from "react";
import { pageClock } from "../platform/clockShell.ts";

/** Of the time after a drawing, in drawings: what a person types and clicks goes in between. */
const freeDrawings = 2;
/** A machine that slept in the middle of a drawing is no slow one. */
const drawingMsMax = 1_000;

export function usePaced<Value>(value: Value, everyMs: number): Value {
  const [shown, setShown] = useState(value);
  const pace = useRef({ begunAt: undefined as number | undefined, drawnAt: Number.NEGATIVE_INFINITY, drawingMs: 0 });
  useEffect(() => {
    const { current } = pace;
    const now = pageClock.now();
    if (current.begunAt !== undefined) {
      current.drawingMs = Math.min(drawingMsMax, Math.max(0, now - current.begunAt));
      current.drawnAt = now;
      current.begunAt = undefined;
    }
    if (shown === value) return;
    const show = (): void => {
      current.begunAt = pageClock.now();
      setShown(value);
    };
    const apartMs = Math.max(everyMs, freeDrawings * current.drawingMs);
    // A clock that was set back must not hold it for longer.
    const waitMs = Math.min(apartMs, current.drawnAt + apartMs - now);
    if (waitMs > 0) return pageClock.after(waitMs, show);
    show();
    return;
  }, [value, shown, everyMs]);
  return shown;
}
