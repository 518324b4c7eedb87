/**
 * A conversation with an agent of a control centre, as a component shows it.
 *
 * The log is the record: what is shown is folded from the thread's stream, and what was sent from here is shown beside it
 * until the log tells it. It draws nothing, and needs no code of the control centre.
 */
import type { SubscriptionStatus } from "@holdfast/client";
import type { ProtocolError } from "@holdfast/protocol";
import {
  type RefObject,
  useCallback,
  useEffect,
  useInsertionEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
} from "react";
import { useSession } from "./provider.tsx";
import { makeStreamStore } from "./streamStore.ts";
import { awaitingReply, type ChatMessage, chatMessages } from "./thread/chatMessages.ts";
import { notInLog, type SentMessage } from "./thread/sentMessages.ts";
import { makeSentStore } from "./thread/sentStore.ts";
import { readsStream, type ThreadMethods, type ThreadSnapshot, threadStream } from "./thread/threadEvents.ts";
import { threadFromSnapshot } from "./thread/threadFromSnapshot.ts";
import { emptyThread, foldThread, type ThreadCommand } from "./thread/threadState.ts";
import { foldMarks, type Marks, marksFromSnapshot, newestAt, noMarks, unreadCount } from "./thread/unread.ts";
import { useDraft } from "./useDraft.ts";
import { useOlder } from "./useOlder.ts";
import { useRequest } from "./useRequest.ts";
import { useSignal } from "./useSignal.ts";
import { useStream } from "./useStream.ts";

/** Longer than an agent takes to say again that it works: a lost signal is no flicker, and none is so for ever (F74). */
const typingLifeMs = 8_000;

/** A message sent from here, which the log has not told yet. */
export type PendingMessage = Pick<SentMessage, "key" | "text" | "state" | "error">;

export interface ThreadOptions {
  /** Whose drafts are kept, and found again: the id of who is signed in. Without it a draft lives as long as its component. */
  readonly person?: string | undefined;
}

export interface ThreadView {
  /** What was said, in order; the newest of a long thread, and before them the pages that were loaded. */
  readonly messages: readonly ChatMessage[];
  /** There may be older ones than those that are shown. */
  readonly hasOlder: boolean;
  /** A page of older ones is on its way. */
  readonly loadingOlder: boolean;
  readonly pending: readonly PendingMessage[];
  /** Something is being thought up, of which nothing is written yet. It always ends. */
  readonly typing: boolean;
  /** Messages with news since this person last read the thread, on whatever device; undefined while nobody has told. */
  readonly unread: number | undefined;
  readonly status: SubscriptionStatus;
  /** Why the thread cannot be read, or why `stop`, `retry`, `loadOlder` or `markRead` failed last. */
  readonly error: unknown;
  /** What is typed and not sent: kept for `person` in this browser, and the same in all of its tabs. */
  readonly draft: string;
  /** The same functions on every render of one thread. */
  readonly setDraft: (text: string) => void;
  /** Empties the draft where it is what is sent. */
  readonly send: (text: string) => void;
  /** The page before what is shown; nothing while one is on its way, or where nothing is before it. */
  readonly loadOlder: () => void;
  /** Takes a refused or unknown message out of `pending`. */
  readonly dismiss: (key: string) => void;
  /** What is written stays. Without an id: what is answered now. */
  readonly stop: (command?: string) => void;
  /** The same text once more, as a message of its own. */
  readonly retry: (command: string) => void;
  /** All that is shown has been seen. */
  readonly markRead: () => void;
}

const options = {
  from: "latest",
  initial: emptyThread,
  snapshot: (data: Readonly<Record<string, unknown>>) => threadFromSnapshot(data as unknown as ThreadSnapshot),
} as const;

/** @param thread its id. An undefined one is no conversation yet: call it below the component that makes one. */
export function useThread(thread: string, { person }: ThreadOptions = {}): ThreadView {
  const session = useSession();
  const stream = threadStream(thread);
  const { state, status, error } = useStream(stream, foldThread, options);
  const { commands } = state;
  const latest = useRef(commands);
  useInsertionEffect(() => {
    latest.current = commands;
  });
  const user = useSyncExternalStore(session.onChange, () => session.user?.id);
  const { pending, send, dismiss } = usePending(thread, latest, commands, user);
  const { unread, markRead, markError } = useUnread(thread, latest, commands, user);
  const interrupt = useRequest<ControlCalls, "command.interrupt">("command.interrupt");
  const again = useRequest<ControlCalls, "command.retry">("command.retry");
  const heard = useSignal<{ readonly command?: string; readonly forMs?: number }>(stream, "typing", {
    lifeMs: typingLifeMs,
  });
  const awaiting = awaitingReply(state);
  const older = useOlder(thread, state);
  const { draft, setDraft } = useDraft(`thread/${thread}`, person);
  const latestDraft = useRef(draft);
  useInsertionEffect(() => {
    latestDraft.current = draft;
  });
  const { send: sendInterrupt } = interrupt;
  const { send: sendRetry } = again;
  return {
    messages: useMemo(() => chatMessages(older.state), [older.state]),
    hasOlder: older.hasOlder,
    loadingOlder: older.loading,
    pending,
    typing: [...heard.values()].some(({ command = "", forMs = 0 }) => forMs > 0 && awaiting.includes(command)),
    unread,
    status,
    error: error ?? interrupt.error ?? again.error ?? older.error ?? markError,
    draft,
    setDraft,
    send: useCallback(
      (text) => {
        send(text);
        if (text === latestDraft.current) setDraft("");
      },
      [send, setDraft],
    ),
    loadOlder: older.load,
    dismiss,
    stop: useCallback(
      (command = latest.current.findLast((one) => one.state !== "finished")?.id) => {
        if (command !== undefined) void sendInterrupt({ command });
      },
      [sendInterrupt],
    ),
    retry: useCallback((command) => void sendRetry({ command }), [sendRetry]),
    markRead,
  };
}

type ControlCalls = { [Name in keyof ThreadMethods]: ThreadMethods[Name] };
type Commands = readonly ThreadCommand[];

function usePending(
  thread: string,
  latest: RefObject<Commands>,
  commands: Commands,
  user: string | undefined,
): Pick<ThreadView, "pending" | "send" | "dismiss"> {
  const session = useSession();
  const store = useMemo(() => makeSentStore(session, thread), [session, thread]);
  const sent = useSyncExternalStore(store.onChange, store.view);
  const saved = useSyncExternalStore(session.onChange, store.saved);
  const pending = useMemo(
    () => notInLog([...store.adopted(saved, commands), ...sent], commands, user),
    [store, saved, sent, commands, user],
  );
  useEffect(() => {
    store.forget(sent.filter((one) => one.state !== "sending" && !pending.includes(one)).map(({ key }) => key));
  }, [store, sent, pending]);
  return {
    pending,
    send: useCallback((text) => store.send(text, latest.current), [store, latest]),
    dismiss: useCallback((key) => store.forget([key]), [store]),
  };
}

function useUnread(
  thread: string,
  latest: RefObject<Commands>,
  commands: Commands,
  user: string | undefined,
): Pick<ThreadView, "unread" | "markRead"> & { readonly markError: ProtocolError | undefined } {
  const session = useSession();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another user's marks are another state.
  const store = useMemo(() => makeStreamStore(noMarks), [session, user]);
  useEffect(() => {
    if (user === undefined) return;
    const fold = { reducer: foldMarks, initial: noMarks, snapshot: marksFromSnapshot };
    return store.attach(session, readsStream(user), "latest", () => fold);
  }, [store, session, user]);
  const marks: Marks = useSyncExternalStore(store.onChange, () => store.view().state);
  const { send, error } = useRequest<ControlCalls, "thread.markRead">("thread.markRead");
  return {
    unread: marks === noMarks ? undefined : unreadCount(commands, user, marks.get(thread) ?? 0),
    markRead: useCallback(() => void send({ thread, at: newestAt(latest.current) }), [send, thread, latest]),
    markError: error,
  };
}
