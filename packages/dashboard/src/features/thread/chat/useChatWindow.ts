/** Which part of a conversation is shown (`chatWindow.ts`), and how more of it is read. */
import type { ControlMethods } from "@holdfast/control/contract";
import type { ProtocolError } from "@holdfast/protocol";
import { useRequest } from "@holdfast/react";
import { commandsKeptMax, looseOf } from "@holdfast/react/thread";
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { ChatItem } from "./chatItems.ts";
import {
  type ChatWindow,
  type StreamPart,
  shownOf,
  windowAround,
  withFallen,
  withLaterPage,
  withOlderPage,
} from "./chatWindow.ts";

const pageLimit = 50;
const nothing: ReadonlySet<string> = new Set();

export interface ChatWindowView {
  readonly shown: readonly ChatItem[];
  /** What is shown is not the end, and does not touch it. */
  readonly isDetached: boolean;
  readonly hasOlder: boolean;
  readonly pending: boolean;
  readonly error: ProtocolError | undefined;
  readonly loadOlder: () => void;
  readonly loadLater: () => void;
  /** Shows this command with what is around it. */
  readonly showAround: (command: string) => void;
  readonly showEnd: () => void;
}

export function useChatWindow(thread: string, items: readonly ChatItem[]): ChatWindowView {
  const [window, setWindow] = useState<ChatWindow>();
  const wasLoose = useRef(nothing);
  const loose = looseOf(wasLoose.current, items.map(named));
  const stream = useMemo(() => ({ items, loose }), [items, loose]);
  const { send, pending, error } = useRequest<ControlMethods, "thread.read">("thread.read");
  const isFull = items.length >= commandsKeptMax;
  const first = isFull ? items.find(({ item }) => !loose.has(item.command ?? ""))?.item.command : undefined;
  const before = window === undefined ? first : window.next;
  const latest = useRef({ stream, window, before });
  // Before anything is drawn: what falls out of the stream's part is never missed.
  useLayoutEffect(() => {
    const was = latest.current.stream;
    latest.current = { stream, window, before };
    wasLoose.current = stream.loose;
    if (was !== stream) setWindow((now) => now && withFallen(now, was, stream));
  }, [stream, window, before]);
  const read = useCallback(
    (params: { readonly before?: string; readonly after?: string; readonly around?: string }, done: Taken): void => {
      send({ thread, limit: pageLimit, ...params }).then(
        (page) => setWindow((now) => done(now, page, latest.current.stream)),
        // `error` shows it.
        () => undefined,
      );
    },
    [send, thread],
  );
  return {
    shown: useMemo(() => shownOf(window, stream), [window, stream]),
    isDetached: window?.later !== undefined,
    hasOlder: before !== undefined,
    pending,
    error,
    loadOlder: useCallback(() => {
      const from = latest.current.before;
      if (from !== undefined) read({ before: from }, withOlderPage);
    }, [read]),
    loadLater: useCallback(() => {
      const from = latest.current.window?.later;
      if (from !== undefined)
        read({ after: from }, (now, page, all) => (now?.later === from ? withLaterPage(now, page, all) : now));
    }, [read]),
    showAround: useCallback(
      (command) => read({ around: command }, (_now, page, all) => windowAround(page, all)),
      [read],
    ),
    showEnd: useCallback(() => setWindow(undefined), []),
  };
}

const named = ({ item }: ChatItem) => ({ id: item.command ?? item.key, state: item.state });

type Taken = (
  now: ChatWindow | undefined,
  page: ControlMethods["thread.read"]["result"],
  stream: StreamPart,
) => ChatWindow | undefined;
