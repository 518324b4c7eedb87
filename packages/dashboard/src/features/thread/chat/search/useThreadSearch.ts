/** A search in a thread as a component runs it: what is typed is looked for once the person pauses. */
import { ProtocolError } from "@holdfast/protocol";
import { useEffect, useReducer } from "react";
import { useLive } from "../../../../shared/data/LiveData.tsx";
import { pageClock } from "../../../../shared/platform/clockShell.ts";
import { noSearch, reduceSearch, type SearchAction, type SearchState } from "./searchState.ts";

/** Between the last key and the question. */
const pauseMs = 250;
const placesAtOnce = 50;

export function useThreadSearch(thread: string): readonly [SearchState, (action: SearchAction) => void] {
  const { session } = useLive();
  const [state, act] = useReducer(reduceSearch, noSearch);
  const { text, isSearching, next, emptyPages } = state;
  const isFirst = next === undefined && emptyPages === 0;
  useEffect(() => {
    if (!isSearching) return;
    const gone = new AbortController();
    const from = next === undefined ? {} : { before: next };
    const ask = async (): Promise<void> => {
      try {
        const params = { thread, text, limit: placesAtOnce, ...from };
        const page = await session.call("thread.search", params, { signal: gone.signal });
        if (!gone.signal.aborted) act({ kind: "page", text, items: page.items, next: page.next });
      } catch (error) {
        if (gone.signal.aborted) return;
        const known = error instanceof ProtocolError ? error : new ProtocolError("internal", String(error));
        act({ kind: "failed", text, error: known });
      }
    };
    const stop = pageClock.after(isFirst ? pauseMs : 0, () => void ask());
    return () => {
      stop();
      gone.abort();
    };
  }, [session, thread, text, isSearching, next, isFirst]);
  return [state, act];
}
