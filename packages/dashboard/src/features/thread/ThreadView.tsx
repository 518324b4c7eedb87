/** One thread: its terminal and its commands with their steps, or, with an assistant, what was said; and the composer. */
import type { SubscriptionStatus } from "@holdfast/client";
import type { Agent, Thread } from "@holdfast/control/contract";
import type { ThreadState } from "@holdfast/react/thread";
import { type ReactNode, useEffect, useMemo } from "react";
import { useLive, useSends } from "../../shared/data/LiveData.tsx";
import { type Send, sendsOfThread } from "../../shared/data/sends.ts";
import { count } from "../../shared/format/count.ts";
import { problemText, sentence } from "../../shared/format/problem.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { CommandList } from "./CommandList.tsx";
import { Composer } from "./Composer.tsx";
import { ChatLog, type ChatSearch } from "./chat/ChatLog.tsx";
import { itemOfCommand, itemOfSend, type LadderItem } from "./ladder.ts";
import { ThreadTerminal } from "./ThreadTerminal.tsx";
import { type FeedView, ThreadFeed } from "./threadFeed.ts";
import { useFeedView } from "./useFeedView.ts";
import { useMarkRead } from "./useMarkRead.ts";
import { offlineHint, useIsWriting, writeLabel } from "./writing.ts";

export function ThreadView(props: {
  readonly thread: Thread;
  readonly agent: Agent;
  readonly canOperate: boolean;
  readonly search: ChatSearch;
}): ReactNode {
  const { thread, agent, canOperate } = props;
  const { id } = thread;
  const { session } = useLive();
  const { sends } = useSends();
  const isWriting = useIsWriting();
  const interactive = thread.kind === "terminal" || agent.kind === "terminal";
  const isChat = agent.kind === "assistant";
  const feed = useMemo(
    () => new ThreadFeed({ session, thread: id, interactive, draws: !isChat }),
    [session, id, interactive, isChat],
  );
  useEffect(() => {
    feed.open();
    return () => feed.close();
  }, [feed]);
  useMarkRead(thread);
  const view = useFeedView(feed);
  const items = useMemo(() => itemsOf(view.state, sends, id, session), [view.state, sends, id, session]);
  if (view.status.kind === "refused") return <p className="p-4">{refusedText(view.status)}</p>;
  return (
    <>
      <FeedNotice view={view} />
      {isChat ? (
        <ChatLog thread={id} items={items} state={view.state} canOperate={canOperate} search={props.search} />
      ) : (
        <>
          {view.hasEarlier && <EarlierOutput onDraw={() => feed.drawAll()} />}
          <ThreadTerminal
            thread={id}
            feed={feed}
            state={view.state}
            interactive={interactive}
            canOperate={canOperate}
          />
          <CommandList items={items} thread={canOperate ? id : undefined} />
        </>
      )}
      {thread.kind !== "terminal" && canOperate && (
        <Composer
          key={id}
          target={{ kind: "thread", thread: id }}
          isWriting={isWriting}
          isProse={isChat}
          label={writeLabel(agent)}
          hint={agent.status === "offline" ? offlineHint(agent) : undefined}
        />
      )}
    </>
  );
}

function itemsOf(
  { commands }: ThreadState,
  sends: readonly Send[],
  thread: string,
  { user, clockOffset }: ReturnType<typeof useLive>["session"],
): readonly LadderItem[] {
  return [
    ...commands.map((command) => itemFor(command, itemOfCommand)),
    ...sendsOfThread(sends, thread, { commands, user: user?.id, clockOffset }).map((send) => itemFor(send, itemOfSend)),
  ];
}

/** Commands and sends are replaced, never changed: one that is the same is drawn by the same item. */
const itemsKept = new WeakMap<object, LadderItem>();

function itemFor<Of extends object>(of: Of, make: (of: Of) => LadderItem): LadderItem {
  const item = itemsKept.get(of) ?? make(of);
  itemsKept.set(of, item);
  return item;
}

const refusedText = (status: SubscriptionStatus & { kind: "refused" }): string =>
  status.error.code === "not_found" ? "There is no such thread, or it is not yours to see." : problemText(status.error);

/** Why what is shown is not yet all there is. */
function FeedNotice({ view }: { readonly view: FeedView }): ReactNode {
  const { trouble } = view;
  if (trouble !== undefined) {
    return (
      <div
        role="alert"
        className="flex flex-wrap items-center gap-2 border-b border-danger bg-danger-soft px-3 py-1 text-sm"
      >
        <p className="min-w-0 flex-1">
          This thread stopped at an event that could not be shown: {problemText(trouble.error)}
        </p>
        <Button onClick={trouble.retry}>Try again</Button>
        <Button onClick={trouble.skip}>Skip this event</Button>
      </div>
    );
  }
  return (
    <p aria-live="polite" className="border-b border-line bg-surface px-3 py-0.5 text-sm text-muted empty:hidden">
      {statusText(view)}
    </p>
  );
}

/** A long thread opens with its end: what came before is a click away, and said to be there. */
function EarlierOutput({ onDraw }: { readonly onDraw: () => void }): ReactNode {
  return (
    <div
      data-testid="earlier-output"
      className="flex items-center gap-2 border-b border-line bg-surface px-3 py-0.5 text-sm text-muted"
    >
      <p className="min-w-0 flex-1">This thread is long: only its newest output is drawn.</p>
      <Button tone="quiet" onClick={onDraw}>
        Draw all of it
      </Button>
    </div>
  );
}

function statusText({ status, behind, told }: FeedView): string {
  switch (status.kind) {
    case "live":
      return told === undefined ? "" : sentence(told);
    case "refused":
    case "stopped":
      return "";
    case "waiting":
      return "";
    case "catchingUp":
      return behind > 0 ? `Catching up: ${count(behind, "event")} to go` : "";
    case "pending":
      return `Waiting for the server: ${sentence(status.reason)}`;
  }
}
