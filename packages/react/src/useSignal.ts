/** What is so right now, told to all who read a stream: who is here, who is typing (ST-17). */
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { useSession } from "./provider.tsx";
import { repeat } from "./shell/repeat.ts";
import { makeSignalStore } from "./shell/signalStore.ts";

export interface SignalOptions {
  /** What was heard is so for that long, ms; what is said is said again three times as often. */
  readonly lifeMs: number;
  /** What is so here, as JSON of at most 1 KiB: said while mounted and not undefined. */
  readonly say?: unknown;
}

/**
 * Says one signal and hears it from others: their ids, each with what it said last. Nothing is stored, so a
 * signal that was lost is said again and one that ends fades. It needs a reader of the stream in this session.
 */
export function useSignal<Data = unknown>(
  stream: string,
  signal: string,
  { lifeMs, say }: SignalOptions,
): ReadonlyMap<string, Data> {
  const session = useSession();
  const store = useMemo(() => makeSignalStore(stream, signal, lifeMs), [stream, signal, lifeMs]);
  useEffect(() => store.attach(session), [store, session]);
  const said = say === undefined ? undefined : JSON.stringify(say);
  useEffect(() => {
    if (said === undefined) return;
    return repeat(lifeMs / 3, () => session.signal(stream, signal, JSON.parse(said)));
  }, [session, stream, signal, said, lifeMs]);
  return useSyncExternalStore(store.onChange, store.heard) as ReadonlyMap<string, Data>;
}
