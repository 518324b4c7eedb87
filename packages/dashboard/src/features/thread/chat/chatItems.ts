/**
 * What a chat shows, in order: each message of a person with its step on the ladder, and what was said because of it.
 *
 * Pure. A reply belongs to its command by the name in the log, never by its place, so it cannot be shown under another
 * question (F64); the same command over HTTP, over the socket and from this page's own sends is one item (F73).
 */
import type { Exchange } from "@holdfast/control/contract";
import type { ThreadMessage } from "@holdfast/react/thread";
import { itemOfCommand, type LadderItem } from "../ladder.ts";

export interface ChatItem {
  readonly item: LadderItem;
  readonly messages: readonly ThreadMessage[];
  /** It is being answered, and nothing of the next message is there yet. */
  readonly isTyping: boolean;
}

/** What the stream gave, and what was sent from here. */
export function chatItems(items: readonly LadderItem[], messages: readonly ThreadMessage[]): readonly ChatItem[] {
  const byCommand = new Map<string, ThreadMessage[]>();
  for (const message of messages) {
    const said = byCommand.get(message.command);
    if (said === undefined) byCommand.set(message.command, [message]);
    else said.push(message);
  }
  return items.map((item) => {
    const said = byCommand.get(item.command ?? "") ?? [];
    return { item, messages: said, isTyping: item.state === "started" && said.at(-1)?.state !== "started" };
  });
}

/** Whether the two are drawn the same: parts are replaced, never changed. */
export function isSameChat(one: ChatItem, other: ChatItem): boolean {
  return (
    one.item === other.item &&
    one.messages.length === other.messages.length &&
    one.messages.every((message, index) => message === other.messages[index])
  );
}

/** Of pages that were read once. */
const pages = new WeakMap<Exchange, ChatItem>();

/** One that was read by the page (`chatWindow.ts`). */
export function ofExchange(exchange: Exchange): ChatItem {
  const chat = pages.get(exchange) ?? makeOlder(exchange);
  pages.set(exchange, chat);
  return chat;
}

function makeOlder({ command, messages }: Exchange): ChatItem {
  const item = itemOfCommand({
    ...command,
    state: command.state === "queued" ? "accepted" : command.state,
    inferred: false,
    progress: null,
  });
  return { item, messages: messages.map((message) => ({ ...message, command: command.id })), isTyping: false };
}
