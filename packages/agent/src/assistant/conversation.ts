/**
 * What was said in a thread before a command, as turns for a model.
 *
 * The server's log is the record, so an assistant keeps nothing: a restarted worker knows as much as before. Read from
 * the newest back, until {@link historyCharsMax} or {@link historyPagesMax}; what a model never answered is left out,
 * for a question without an answer confuses the next.
 */
import type { Exchange } from "@holdfast/control/contract";
import type { Office } from "../programs/executor.ts";
import type { ChatTurn } from "./chatModel.ts";

export const historyCharsMax = 100_000;
const historyPagesMax = 20;
const pageLimit = 50;

/** The turns before `command`, oldest first, and then its own text. Rejects where the server does not answer in time. */
export async function conversationBefore(
  office: Pick<Office, "call">,
  command: { readonly id: string; readonly thread: string; readonly text: string },
): Promise<ChatTurn[]> {
  const exchanges: Exchange[] = [];
  let chars = 0;
  let before: string | undefined = command.id;
  for (let pages = 0; before !== undefined && pages < historyPagesMax && chars < historyCharsMax; pages += 1) {
    const page: { items: Exchange[]; next?: string | undefined } = await office.call("thread.read", {
      thread: command.thread,
      before,
      limit: pageLimit,
    });
    for (const exchange of page.items.toReversed()) {
      chars += exchange.command.text.length + replyOf(exchange).length;
      if (chars <= historyCharsMax) exchanges.push(exchange);
    }
    before = page.next;
  }
  return [...exchanges.reverse().flatMap(turnsOf), { role: "user", text: command.text }];
}

function turnsOf(exchange: Exchange): ChatTurn[] {
  const reply = replyOf(exchange);
  if (reply === "") return [];
  return [
    { role: "user", text: exchange.command.text },
    { role: "assistant", text: reply },
  ];
}

const replyOf = ({ messages }: Exchange): string => messages.map(({ text }) => text).join("");
