/**
 * A conversation: what was said, in order, with the end in view.
 *
 * It follows the end until the person scrolls up, and then stays where they read. A chat opens with its newest messages;
 * older ones come by the page, and a search leads to any of them (`chatWindow.ts`). Messages out of view are not laid out.
 */
import { streams } from "@holdfast/control/names";
import { useSignal } from "@holdfast/react";
import type { ThreadState } from "@holdfast/react/thread";
import { type ReactNode, useMemo } from "react";
import { isLinked } from "../../../shared/data/connectionHistory.ts";
import { useConnectionNow } from "../../../shared/data/LiveData.tsx";
import { problemText } from "../../../shared/format/problem.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import type { LadderItem } from "../ladder.ts";
import { ChatExchange } from "./ChatExchange.tsx";
import { chatItems } from "./chatItems.ts";
import { MarkdownProvider, useMarkdownChunk } from "./markdownChunk.ts";
import { SearchBar } from "./search/SearchBar.tsx";
import { placeOf } from "./search/searchState.ts";
import { useFoundMarks } from "./search/useFoundMarks.ts";
import { useShownPlace } from "./search/useShownPlace.ts";
import { useSlash } from "./search/useSlash.ts";
import { useThreadSearch } from "./search/useThreadSearch.ts";
import { type ChatWindowView, useChatWindow } from "./useChatWindow.ts";
import { useFollowEnd } from "./useFollowEnd.ts";

/** Longer than the signal's own repetition: a lost one is no flicker. */
const typingLifeMs = 8_000;

export interface ChatSearch {
  readonly isOpen: boolean;
  readonly onOpen: (isOpen: boolean) => void;
}

export function ChatLog(props: {
  readonly thread: string;
  readonly items: readonly LadderItem[];
  readonly state: ThreadState;
  readonly canOperate: boolean;
  readonly search: ChatSearch;
}): ReactNode {
  const { thread, items, state, canOperate, search } = props;
  const stream = useMemo(() => chatItems(items, state.messages), [items, state.messages]);
  const view = useChatWindow(thread, stream);
  const { shown: chat, isDetached } = view;
  const typing = useSignal<{ readonly command?: string; readonly forMs?: number }>(streams.thread(thread), "typing", {
    lifeMs: typingLifeMs,
  });
  const isTold = [...typing.values()].some(({ forMs = 0 }) => forMs > 0);
  const isTyping = !isDetached && chat.some((one) => one.isTyping);
  const isWriting = isTyping && (isTold || state.commands.at(-1)?.state === "started");
  const markdown = useMarkdownChunk(isLinked(useConnectionNow().state));
  const { scroller, content, onScroll, leave, follow } = useFollowEnd(!isDetached);
  const [found, act] = useThreadSearch(thread);
  const place = search.isOpen ? placeOf(found) : undefined;
  useSlash(search.onOpen);
  useFoundMarks(content, search.isOpen ? found.text : "");
  useShownPlace({ place, shown: chat, scroller, leave, showAround: view.showAround });
  return (
    <>
      {search.isOpen && (
        <SearchBar
          state={found}
          act={act}
          onClose={() => {
            scroller.current?.querySelector<HTMLElement>("[data-found]")?.focus({ preventScroll: true });
            act({ kind: "typed", text: "" });
            search.onOpen(false);
          }}
        />
      )}
      <div
        ref={scroller}
        onScroll={onScroll}
        data-testid="chat-log"
        className="min-h-0 flex-1 overflow-y-auto bg-surface"
      >
        <div ref={content}>
          {view.hasOlder && <More view={view} />}
          <MarkdownProvider value={markdown}>
            <ol aria-label="Conversation" className="mx-auto flex max-w-3xl flex-col gap-4 px-3 py-4">
              {chat.map((one) => (
                <ChatExchange
                  key={one.item.command ?? one.item.key}
                  chat={one}
                  thread={thread}
                  canOperate={canOperate}
                  isFound={place !== undefined && one.item.command === place.command}
                />
              ))}
            </ol>
          </MarkdownProvider>
          {isDetached && <FarBack view={view} onEnd={follow} />}
          <p role="status" data-testid="typing" className="mx-auto max-w-3xl px-3 pb-3 text-sm text-muted empty:hidden">
            {isWriting ? "Writing …" : ""}
          </p>
          {chat.length === 0 && <p className="p-6 text-center text-muted">Nothing was said here yet.</p>}
        </div>
      </div>
    </>
  );
}

function More({ view }: { readonly view: ChatWindowView }): ReactNode {
  return (
    <div className="flex flex-col items-center gap-1 pt-3">
      <Button data-testid="older-messages" disabled={view.pending} onClick={view.loadOlder}>
        Earlier messages
      </Button>
      <Failed view={view} />
    </div>
  );
}

/** Below a place far back: what is there is not the end. */
function FarBack({ view, onEnd }: { readonly view: ChatWindowView; readonly onEnd: () => void }): ReactNode {
  return (
    <div data-testid="far-back" className="flex flex-wrap items-center justify-center gap-2 px-3 pb-4">
      <p className="text-sm text-muted">More was said after this.</p>
      <Button data-testid="later-messages" disabled={view.pending} onClick={view.loadLater}>
        Later messages
      </Button>
      <Button
        data-testid="newest-messages"
        onClick={() => {
          view.showEnd();
          onEnd();
        }}
      >
        Newest messages
      </Button>
      {!view.hasOlder && <Failed view={view} />}
    </div>
  );
}

function Failed({ view: { error } }: { readonly view: ChatWindowView }): ReactNode {
  if (error === undefined) return null;
  return (
    <p role="alert" className="text-sm text-danger">
      {problemText(error)}
    </p>
  );
}
