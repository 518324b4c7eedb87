/**
 * Keeps the end of a scrolled element in view while the person reads it (`followEnd.ts`).
 *
 * It acts once a frame, after the browser has laid out what came and before it draws that: asking for a height at each
 * event would lay the page out as often. So a keyboard that opens, a narrower window, or text that is laid out late are
 * followed too.
 */
import { type RefObject, type UIEvent, useCallback, useEffect, useLayoutEffect, useRef } from "react";
import { followingEnd, scrolled } from "./followEnd.ts";

export interface FollowEnd {
  /** Of the element that scrolls. */
  readonly scroller: RefObject<HTMLDivElement | null>;
  /** Of the one element in it, which holds all that grows. */
  readonly content: RefObject<HTMLDivElement | null>;
  readonly onScroll: (event: UIEvent<HTMLDivElement>) => void;
  /** The person is led elsewhere. */
  readonly leave: () => void;
  /** The person wants to see the end. */
  readonly follow: () => void;
}

/** @param isEnd false: what is shown ends before the end, and nothing is followed. */
export function useFollowEnd(isEnd = true): FollowEnd {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(followingEnd);
  const isEndShown = useRef(isEnd);
  useLayoutEffect(() => {
    isEndShown.current = isEnd;
  });
  useEffect(() => {
    const [outer, inner] = [scroller.current, content.current];
    if (outer === null || inner === null) return;
    const observer = new ResizeObserver(() => {
      if (following.current.isAtEnd && isEndShown.current) outer.scrollTop = outer.scrollHeight;
    });
    for (const element of [outer, inner]) observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const onScroll = useCallback(({ currentTarget }: UIEvent<HTMLDivElement>) => {
    following.current = scrolled(following.current, currentTarget);
  }, []);
  const leave = useCallback(() => {
    following.current = { isAtEnd: false, scrollTop: Number.POSITIVE_INFINITY };
  }, []);
  const follow = useCallback(() => {
    following.current = followingEnd;
  }, []);
  return { scroller, content, onScroll, leave, follow };
}
