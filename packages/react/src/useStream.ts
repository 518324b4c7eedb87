/** One stream folded into a component's state. */
import type { AppliedEvent } from "@holdfast/client";
import type { From } from "@holdfast/protocol";
import { useEffect, useInsertionEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { useSession } from "./provider.tsx";
import { type Fold, makeStreamStore, type StreamView } from "./streamStore.ts";

export type { StreamView } from "./streamStore.ts";

/** Given each event once, in order; must return new state and change nothing else. */
export type StreamReducer<State> = (state: State, event: AppliedEvent) => State;

export interface StreamOptions<State> {
  readonly from: From;
  /** Before the first event, and again after a reset. */
  readonly initial: State;
  /** The whole state from a snapshot; without it snapshots are not shown. */
  readonly snapshot?: (data: Readonly<Record<string, unknown>>) => State;
}

/** Subscribes while mounted. Only the session and the stream's name touch the subscription, never a callback (F07). */
export function useStream<State>(
  stream: string,
  reducer: StreamReducer<State>,
  options: StreamOptions<State>,
): StreamView<State> {
  const session = useSession();
  const fold: Fold<State> = { reducer, initial: options.initial, snapshot: options.snapshot };
  const latest = useRef({ fold, from: options.from });
  useInsertionEffect(() => {
    latest.current = { fold, from: options.from };
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new session or stream is a new state; a new `initial` is not.
  const store = useMemo(() => makeStreamStore(options.initial), [session, stream]);
  useEffect(
    () => store.attach(session, stream, latest.current.from, () => latest.current.fold),
    [store, session, stream],
  );
  return useSyncExternalStore(store.onChange, store.view);
}
