/**
 * What was said before the part of a thread that its stream gives: pages that were asked for, in front of it.
 *
 *   loose │ pages … │ the stream's part
 *
 * The stream's part is the newest commands, and every one that has not ended, however old: those are *loose*, since others
 * lie between them and the rest. Pure. Invariants: what both have is shown once, at its place, as the stream tells it; once
 * pages are there, what the stream's part lets go of for its bound joins them, so that nothing between the two is ever
 * missing; a history that was replaced takes them along.
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

type Loose = ReadonlySet<string>;

/** Those of a full stream's part that stand before its rest. Whichever was once stays so, also when it ends. */
export function looseOf(before: Loose, commands: readonly { readonly id: string; readonly state: string }[]): Loose {
  if (commands.length < commandsKeptMax) return before;
  const first = commands.findIndex(({ id, state }) => state === "finished" && !before.has(id));
  const added = commands.slice(0, Math.max(0, first)).filter(({ id }) => !before.has(id));
  return added.length === 0 ? before : new Set([...before, ...added.map(({ id }) => id)]);
}

/** Before which command older ones are read; undefined where none can be. */
export function olderThan({ commands }: ThreadState, loose: Loose, pages: OlderPages | undefined): string | undefined {
  if (pages !== undefined) return pages.next;
  return commands.length < commandsKeptMax ? undefined : commands.find(({ id }) => !loose.has(id))?.id;
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
export function withFallen(
  pages: OlderPages,
  loose: Loose,
  before: ThreadState,
  after: ThreadState,
): OlderPages | undefined {
  if (before.commands.length > 0 && after.commands.length === 0) return undefined;
  const commands = notIn(after.commands, before.commands).filter(({ id }) => !loose.has(id));
  const messages = notIn(after.messages, before.messages);
  if (commands.length === 0 && messages.length === 0) return pages;
  return {
    ...pages,
    commands: [...pages.commands, ...notIn(pages.commands, commands)],
    messages: [...pages.messages, ...notIn(pages.messages, messages)],
  };
}

/** All of it as one thread. */
export function withOlder(state: ThreadState, loose: Loose, pages: OlderPages | undefined): ThreadState {
  if (pages === undefined) return state;
  const rest = notIn(pages.commands, state.commands);
  return {
    ...state,
    commands: [
      ...rest.filter(({ id }) => loose.has(id)),
      ...asIn(state.commands, pages.commands),
      ...rest.filter(({ id }) => !loose.has(id)),
    ],
    messages: [...asIn(state.messages, pages.messages), ...notIn(pages.messages, state.messages)],
  };
}

interface Named {
  readonly id: string;
}

/** Each as the newer list has it, where that has it. */
function asIn<Item extends Named>(newer: readonly Item[], items: readonly Item[]): readonly Item[] {
  const there = new Map(newer.map((item) => [item.id, item]));
  return items.map((item) => there.get(item.id) ?? item);
}

function notIn<Item extends Named>(others: readonly Named[], items: readonly Item[]): readonly Item[] {
  const there = new Set(others.map(({ id }) => id));
  return items.filter(({ id }) => !there.has(id));
}
