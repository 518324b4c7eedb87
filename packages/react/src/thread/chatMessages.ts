/**
 * A thread as a conversation: each message of a person followed by what was said because of it.
 *
 * Pure. A reply belongs to its command by the name in the log, never by its place, so it cannot be shown under another
 * question (F64); several replies to one message are legal.
 */
import type { CommandOutcome } from "./threadEvents.ts";
import type { ThreadCommand, ThreadMessage, ThreadState } from "./threadState.ts";

export type ChatMessage =
  | {
      readonly kind: "sent";
      readonly id: string;
      readonly text: string;
      readonly sentBy: string;
      /** `accepted`: it is safe on the server, and waits. */
      readonly state: ThreadCommand["state"];
      readonly outcome: CommandOutcome | null;
      /** In the server's words, where it did not end well. */
      readonly reason: string | null;
      /** What is being done, while it goes on. */
      readonly progress: string | null;
    }
  | {
      readonly kind: "reply";
      readonly id: string;
      /** What it replies to. */
      readonly command: string;
      readonly text: string;
      /** `writing` until it is whole, or its command has ended: nothing writes for ever (F74). */
      readonly state: "writing" | "finished" | "cut";
    };

export function chatMessages({ commands, messages }: ThreadState): readonly ChatMessage[] {
  const replies = Map.groupBy(messages, ({ command }) => command);
  return commands.flatMap((command) => [
    sent(command),
    ...(replies.get(command.id) ?? []).map((message) => reply(command, message)),
  ]);
}

/** What is being answered, and of which nothing is being written right now. */
export function awaitingReply({ commands, messages }: ThreadState): readonly string[] {
  const writing = new Set(messages.flatMap(({ command, state }) => (state === "started" ? command : [])));
  return commands.filter(({ id, state }) => state !== "finished" && !writing.has(id)).map(({ id }) => id);
}

function sent({ id, text, sentBy, state, outcome, reason, progress }: ThreadCommand): ChatMessage {
  return { kind: "sent", id, text, sentBy, state, outcome, reason, progress };
}

function reply(command: ThreadCommand, { id, text, state }: ThreadMessage): ChatMessage {
  const isCut = state === "started" && command.state === "finished";
  return {
    kind: "reply",
    id,
    command: command.id,
    text,
    state: state === "finished" ? "finished" : isCut ? "cut" : "writing",
  };
}
