/**
 * A feed's view as a component draws it: as soon as the page has time, and never while it holds what a person does.
 *
 * Each event is a transition: React draws it in slices, and what comes meanwhile is drawn together with the next. Drawn at
 * once, as stores are, each event would begin the drawing of a growing answer anew: on a machine that is too slow for its
 * pace it would not be drawn at all.
 */
import { startTransition, useEffect, useState } from "react";
import type { FeedView, ThreadFeed } from "./threadFeed.ts";

export function useFeedView(feed: ThreadFeed): FeedView {
  const [view, setView] = useState(feed.view);
  useEffect(() => {
    const draw = (): void => startTransition(() => setView(feed.view()));
    draw();
    return feed.onView(draw);
  }, [feed]);
  return view;
}
