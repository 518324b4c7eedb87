/**
 * What was said before the part of a thread that its stream gives: pages that were asked for, in front of it.
 *
 * Pure. Invariants: what both have is shown once, as the stream tells it; once pages are there, what the stream's part lets
 * go of for its bound joins them, so that nothing between the two is ever missing; a history that was replaced takes them along.
 */
import type { OlderExchange } from "./threadEvents.ts";
import { fromSnapshot } from "./threadFromSnapshot.ts";
import { commandsKeptMax, type ThreadCommand, type ThreadMessage, type ThreadState } from "./threadState.ts";

export interface OlderPages {
  readonly commands: readonly ThreadCommand[];
  readonly messages: readonly ThreadMessage[];
  /** Before which to read on; undefined: nothing is before these. */
  readonly next: string | undefined;
}

/** Before which command older ones are read; undefined where none can be. */
export function olderThan({ commands }: ThreadState, pages: OlderPages | undefined): string | undefined {
  if (pages !== undefined) return pages.next;
  return commands.length >= commandsKeptMax ? commands[0]?.id : undefined;
}

export function withPage(
  pages: OlderPages | undefined,
  { items, next }: { readonly items: readonly OlderExchange[]; readonly next?: string | undefined },
): OlderPages {
  return {
    commands: [
      ...items.map(({ command }) => fromSnapshot({ ...command, progress: null, inferred: false })),
      ...(pages?.commands ?? []),
    ],
    messages: [
      ...items.flatMap(({ command, messages }) => messages.map((message) => ({ ...message, command: command.id }))),
      ...(pages?.messages ?? []),
    ],
    next,
  };
}

/** The pages after the stream's part went from `before` to `after`. */
export function withFallen(pages: OlderPages, before: ThreadState, after: ThreadState): OlderPages | undefined {
  if (before.commands.length > 0 && after.commands.length === 0) return undefined;
  const commands = notIn(after.commands, before.commands);
  const messages = notIn(after.messages, before.messages);
  if (commands.length === 0 && messages.length === 0) return pages;
  return {
    ...pages,
    commands: [...notIn(commands, pages.commands), ...commands],
    messages: [...notIn(messages, pages.messages), ...messages],
  };
}

/** All of it as one thread. */
export function withOlder(state: ThreadState, pages: OlderPages | undefined): ThreadState {
  if (pages === undefined) return state;
  return {
    ...state,
    commands: [...notIn(state.commands, pages.commands), ...state.commands],
    messages: [...notIn(state.messages, pages.messages), ...state.messages],
  };
}

interface Named {
  readonly id: string;
}

function notIn<Item extends Named>(others: readonly Named[], items: readonly Item[]): readonly Item[] {
  const there = new Set(others.map(({ id }) => id));
  return items.filter(({ id }) => !there.has(id));
}
