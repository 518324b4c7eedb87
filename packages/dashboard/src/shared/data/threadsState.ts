/**
 * The threads that the page knows: a pure fold of the stream `threads`, whose snapshot is the 200 most
 * recent, and of pages of older ones read by `thread.list`.
 *
 * Each event carries the whole thread; an older page never overwrites what the stream has said.
 */
import type { Thread, ThreadsEventData, ThreadsSnapshot } from "@holdfast/control/contract";

/** How many threads a snapshot holds (CONTROL.md "Streams"): with as many, there may be older ones. */
export const snapshotThreads = 200;

export interface ThreadsState {
  readonly threads: ReadonlyMap<string, Thread>;
  /** The snapshot was full: an agent may have threads that are not here. */
  readonly truncated: boolean;
}

export const emptyThreads: ThreadsState = { threads: new Map(), truncated: false };

export function foldThreads(
  state: ThreadsState,
  event: { readonly event: string; readonly data: unknown },
): ThreadsState {
  switch (event.event) {
    case "thread.created":
    case "thread.archived":
    case "thread.changed": {
      const { thread } = event.data as ThreadsEventData["thread.changed"];
      return { ...state, threads: new Map(state.threads).set(thread.id, thread) };
    }
    default:
      return state;
  }
}

export function threadsFromSnapshot(snapshot: Readonly<Record<string, unknown>>): ThreadsState {
  const { threads } = snapshot as unknown as ThreadsSnapshot;
  return {
    threads: new Map(threads.map((thread) => [thread.id, thread])),
    truncated: threads.length >= snapshotThreads,
  };
}

export interface ThreadFilter {
  /** Undefined: of all. */
  readonly agent: string | undefined;
  readonly archived: boolean;
}

/** Threads, the newest first: by creation, which never changes, so nothing moves by itself. */
export function threadsOf(
  state: ThreadsState,
  older: readonly Thread[],
  { agent, archived }: ThreadFilter,
): readonly Thread[] {
  const all = new Map(older.map((thread) => [thread.id, thread]));
  for (const thread of state.threads.values()) all.set(thread.id, thread);
  return [...all.values()]
    .filter((thread) => agent === undefined || thread.agent === agent)
    .filter((thread) => archived === (thread.archivedAt !== undefined))
    .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
}
