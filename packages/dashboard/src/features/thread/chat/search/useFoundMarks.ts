/** Marks what was found in what is shown, by the browser's own highlights: where it has none, the place alone is framed. */
import { type RefObject, useEffect } from "react";
import { pageClock } from "../../../../shared/platform/clockShell.ts";
import { placesIn } from "./marks.ts";

const parts = '[data-testid="chat-question"], [data-testid="chat-reply"]';
/** As the style sheet calls them: all places, and those of the message that the search has led to. */
const [all, here] = ["found", "found-here"] as const;

/** @param text empty: nothing is marked. */
export function useFoundMarks(content: RefObject<HTMLElement | null>, text: string): void {
  useEffect(() => {
    const root = content.current;
    if (root === null || text === "" || !("highlights" in CSS)) return;
    const mark = (): void => {
      const ranges = placesIn(root, parts, text);
      const inPlace = ranges.filter(({ startContainer }) => startContainer.parentElement?.closest("[data-found]"));
      CSS.highlights.set(all, new Highlight(...ranges));
      CSS.highlights.set(here, new Highlight(...inPlace));
    };
    let stopFrame: (() => void) | undefined;
    // What is drawn later (Markdown, a page, an answer that grows) is marked with the next frame.
    const observer = new MutationObserver(() => {
      stopFrame ??= pageClock.frame(() => {
        stopFrame = undefined;
        mark();
      });
    });
    const attributeFilter = ["data-found"];
    observer.observe(root, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter });
    mark();
    return () => {
      observer.disconnect();
      stopFrame?.();
      for (const name of [all, here]) CSS.highlights.delete(name);
    };
  }, [content, text]);
}
