/** One message of a person with its step on the ladder, the replies to it, and what can be done about it. */
import type { ControlMethods } from "@holdfast/control/contract";
import { useRequest } from "@holdfast/react";
import { memo, type ReactNode } from "react";
import { problemText } from "../../../shared/format/problem.ts";
import { visibleText } from "../../../shared/format/visibleText.ts";
import { Button } from "../../../shared/ui/Button.tsx";
import { StateMark } from "../../../shared/ui/StateMark.tsx";
import { CommandActions } from "../CommandActions.tsx";
import { SendActions } from "../CommandList.tsx";
import { type LadderItem, ladderSteps } from "../ladder.ts";
import { type ChatItem, isSameChat } from "./chatItems.ts";
import { MessageText } from "./MessageText.tsx";

interface Props {
  readonly chat: ChatItem;
  readonly thread: string;
  readonly canOperate: boolean;
  /** A search has led here. */
  readonly isFound: boolean;
}

/** Each event changes one exchange: the others stay as they are. */
export const ChatExchange = memo(
  Exchange,
  (one: Props, other: Props) =>
    one.canOperate === other.canOperate && one.isFound === other.isFound && isSameChat(one.chat, other.chat),
);

function Exchange(props: Props): ReactNode {
  const { item, messages } = props.chat;
  return (
    <li
      data-testid="chat-exchange"
      data-command={item.command}
      data-state={item.state}
      data-outcome={item.outcome ?? undefined}
      data-found={props.isFound ? "" : undefined}
      // Where a search that ends leaves the keyboard; no stop for Tab.
      tabIndex={-1}
      className={`flex flex-col gap-2 [content-visibility:auto] [contain-intrinsic-size:auto_6rem] ${props.isFound ? "rounded-lg outline-2 outline-offset-4 outline-line-strong" : ""}`}
    >
      <div className="flex max-w-[85%] flex-col items-end gap-1 self-end">
        <p
          data-testid="chat-question"
          className="rounded-lg bg-chosen px-3 py-2 break-words whitespace-pre-wrap [overflow-wrap:anywhere]"
        >
          {visibleText(item.text, { keepLines: true })}
        </p>
        <div className="flex flex-wrap items-center justify-end gap-2 text-xs text-muted">
          <StepOf item={item} />
          <SendActions item={item} />
        </div>
      </div>
      {messages.map((message) => (
        <article
          key={message.id}
          data-testid="chat-reply"
          data-message={message.id}
          data-state={message.state}
          aria-label="Reply"
          aria-busy={message.state === "started" && item.state !== "finished"}
          className="max-w-full min-w-0 [overflow-wrap:anywhere]"
        >
          <MessageText text={message.text} isWhole={message.state === "finished"} />
        </article>
      ))}
      {item.progress !== null && <p className="text-sm text-muted">{visibleText(item.progress)}</p>}
      <Ending item={item} thread={props.thread} canOperate={props.canOperate} />
    </li>
  );
}

/** The last step that is known; the reply itself tells the later ones. */
function StepOf({ item }: { readonly item: LadderItem }): ReactNode {
  if (item.state === "finished") return null;
  const isBad = item.state === "refused" || item.state === "unknown";
  return (
    <span className={isBad ? "text-danger" : ""}>
      {item.word === "" ? ladderSteps[item.reached] : visibleText(item.word)}
    </span>
  );
}

/** How it ended where that was not well, and Cancel, Stop or Try again. */
function Ending(props: {
  readonly item: LadderItem;
  readonly thread: string;
  readonly canOperate: boolean;
}): ReactNode {
  const { item, canOperate } = props;
  const retry = useRequest<ControlMethods, "command.retry">("command.retry");
  const { command } = item;
  const { error } = retry;
  if (command === undefined) return null;
  const isUnderWay = item.state !== "finished";
  const isWell = item.outcome === "completed";
  if (isWell || (isUnderWay && !canOperate)) return null;
  return (
    <div className="flex flex-wrap items-center gap-2 text-sm">
      {!isUnderWay && (
        <span
          data-testid="chat-end"
          className={`inline-flex min-w-0 items-center gap-1.5 ${item.outcome === "interrupted" ? "text-muted" : "text-danger"}`}
        >
          <StateMark shape={item.mark} />
          <span className="min-w-0 [overflow-wrap:anywhere]">{visibleText(item.word)}</span>
        </span>
      )}
      {canOperate && isUnderWay && <CommandActions item={item} thread={props.thread} />}
      {canOperate && !isUnderWay && (
        <Button
          data-testid="chat-retry"
          disabled={retry.pending}
          onClick={() => void retry.send({ command }).catch(() => undefined)}
        >
          Try again
        </Button>
      )}
      {error != null && (
        <span role="alert" className="text-danger">
          {problemText(error)}
        </span>
      )}
    </div>
  );
}
