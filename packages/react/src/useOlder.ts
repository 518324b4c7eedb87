/** Older pages of a thread, in front of what its stream gives, as a component asks for them. */
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { looseOf, type OlderPages, olderThan, withFallen, withOlder, withPage } from "./thread/olderPages.ts";
import type { ThreadMethods } from "./thread/threadEvents.ts";
import { emptyThread, type ThreadState } from "./thread/threadState.ts";
import { useRequest } from "./useRequest.ts";

/** Commands of one page, each with what was said because of it. */
const pageLimit = 50;
const nothing: ReadonlySet<string> = new Set();

export interface OlderView {
  readonly state: ThreadState;
  readonly hasOlder: boolean;
  readonly loading: boolean;
  readonly error: unknown;
  readonly load: () => void;
}

type Calls = { [Name in keyof ThreadMethods]: ThreadMethods[Name] };

export function useOlder(thread: string, state: ThreadState): OlderView {
  const [kept, setKept] = useState<{ readonly thread: string; readonly pages: OlderPages | undefined }>();
  const pages = kept?.thread === thread ? kept.pages : undefined;
  const { send, pending, error } = useRequest<Calls, "thread.read">("thread.read");
  const wasLoose = useRef(nothing);
  const loose = looseOf(wasLoose.current, state.commands);
  const before = olderThan(state, loose, pages);
  const latest = useRef({ before, pending, state: emptyThread });
  // Before anything is drawn: what falls out of the stream's part is never missed.
  useLayoutEffect(() => {
    const was = latest.current.state;
    latest.current = { before, pending, state };
    wasLoose.current = loose;
    if (was !== state)
      setKept((now) =>
        now?.thread === thread && now.pages !== undefined
          ? { thread, pages: withFallen(now.pages, loose, was, state) }
          : now,
      );
  }, [thread, state, loose, before, pending]);
  return {
    state: useMemo(() => withOlder(state, loose, pages), [state, loose, pages]),
    hasOlder: before !== undefined,
    loading: pending,
    error,
    load: useCallback(() => {
      const from = latest.current;
      if (from.before === undefined || from.pending) return;
      latest.current = { ...from, pending: true };
      send({ thread, before: from.before, limit: pageLimit }).then(
        (page) => setKept((now) => ({ thread, pages: withPage(now?.thread === thread ? now.pages : undefined, page) })),
        // `error` shows it.
        () => undefined,
      );
    }, [send, thread]),
  };
}
