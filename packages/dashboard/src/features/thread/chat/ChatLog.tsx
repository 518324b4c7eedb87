/**
 * A conversation: what was said, in order, with the end in view.
 *
 * It follows the end until the person scrolls up, and then stays where they read. A chat opens with its newest messages;
 * older ones come by the page. Messages out of view are not laid out.
 */
import type { ControlMethods, Exchange } from "@holdfast/control/contract";
import { streams } from "@holdfast/control/names";
import { useRequest, useSignal } from "@holdfast/react";
import { commandsKeptMax, type ThreadState } from "@holdfast/react/thread";
import { type ReactNode, useMemo, useState } from "react";
import { problemText } from "../../../shared/format/problem.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import type { LadderItem } from "../ladder.ts";
import { ChatExchange } from "./ChatExchange.tsx";
import { chatItems } from "./chatItems.ts";
import { useFollowEnd } from "./useFollowEnd.ts";

/** Longer than the signal's own repetition: a lost one is no flicker. */
const typingLifeMs = 8_000;
const pageLimit = 50;

export function ChatLog(props: {
  readonly thread: string;
  readonly items: readonly LadderItem[];
  readonly state: ThreadState;
  readonly canOperate: boolean;
}): ReactNode {
  const { thread, items, state, canOperate } = props;
  const [older, setOlder] = useState<{ readonly items: readonly Exchange[]; readonly next: string | undefined }>();
  const chat = useMemo(() => chatItems(older?.items ?? [], items, state.messages), [older, items, state.messages]);
  const typing = useSignal<{ readonly command?: string; readonly forMs?: number }>(streams.thread(thread), "typing", {
    lifeMs: typingLifeMs,
  });
  const isTold = [...typing.values()].some(({ forMs = 0 }) => forMs > 0);
  const isTyping = chat.some((one) => one.isTyping) && (isTold || state.commands.at(-1)?.state === "started");
  const { scroller, content, onScroll } = useFollowEnd();
  const first = chat[0]?.item.command;
  const mayHaveOlder = older === undefined ? state.commands.length >= commandsKeptMax : older.next !== undefined;
  return (
    <div
      ref={scroller}
      onScroll={onScroll}
      data-testid="chat-log"
      className="min-h-0 flex-1 overflow-y-auto bg-surface"
    >
      <div ref={content}>
        {mayHaveOlder && first !== undefined && (
          <OlderMessages
            thread={thread}
            before={older?.next ?? first}
            onPage={(page, next) => setOlder({ items: [...page, ...(older?.items ?? [])], next })}
          />
        )}
        <ol aria-label="Conversation" className="mx-auto flex max-w-3xl flex-col gap-4 px-3 py-4">
          {chat.map((one) => (
            <ChatExchange key={one.item.command ?? one.item.key} chat={one} canOperate={canOperate} />
          ))}
        </ol>
        <p role="status" data-testid="typing" className="mx-auto max-w-3xl px-3 pb-3 text-sm text-muted empty:hidden">
          {isTyping ? "Writing …" : ""}
        </p>
        {chat.length === 0 && <p className="p-6 text-center text-muted">Nothing was said here yet.</p>}
      </div>
    </div>
  );
}

function OlderMessages(props: {
  readonly thread: string;
  readonly before: string;
  readonly onPage: (page: readonly Exchange[], next: string | undefined) => void;
}): ReactNode {
  const { thread, before, onPage } = props;
  const read = useRequest<ControlMethods, "thread.read">("thread.read");
  const load = async (): Promise<void> => {
    const page = await read.send({ thread, before, limit: pageLimit }).catch(() => undefined);
    if (page !== undefined) onPage(page.items, page.next);
  };
  return (
    <div className="flex flex-col items-center gap-1 pt-3">
      <Button data-testid="older-messages" disabled={read.pending} onClick={() => void load()}>
        Earlier messages
      </Button>
      {read.error != null && (
        <p role="alert" className="text-sm text-danger">
          {problemText(read.error)}
        </p>
      )}
    </div>
  );
}
