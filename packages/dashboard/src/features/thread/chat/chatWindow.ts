/**
 * The part of a conversation that is shown: what its stream gives, pages in front of that, or a place far back by itself.
 *
 *   the end ──earlier messages──► the end with pages before it
 *      └──a place far back──► detached: the place and what is around it ──later messages──► … ──► joined with the end
 *
 * What the stream gives is the newest messages, and every one that has not ended, however old: those are *loose*
 * (`looseOf`). Pure. Invariants: what is shown has no hole but behind loose ones, and nothing twice; what both have stands at
 * its place, as the stream tells it; once there are pages, what the stream's part lets go of for its bound joins them; a
 * history that was replaced takes them along.
 */
import type { Exchange } from "@holdfast/control/contract";
import { type ChatItem, ofExchange } from "./chatItems.ts";

export interface ChatWindow {
  readonly pages: readonly ChatItem[];
  /** Before which command older ones are read; undefined: nothing is before these. */
  readonly next: string | undefined;
  /** After which command there are others before the stream's; undefined: none, the two touch. */
  readonly later: string | undefined;
}

/** What the stream gives, and which of it is loose. */
export interface StreamPart {
  readonly items: readonly ChatItem[];
  readonly loose: ReadonlySet<string>;
}

export interface Page {
  readonly items: readonly Exchange[];
  readonly next?: string | undefined;
  readonly later?: string | undefined;
}

export function withOlderPage(window: ChatWindow | undefined, { items, next }: Page): ChatWindow {
  return { pages: [...items.map(ofExchange), ...(window?.pages ?? [])], next, later: window?.later };
}

export function withLaterPage(window: ChatWindow, { items, later }: Page, stream: StreamPart): ChatWindow {
  const pages = [...window.pages, ...notIn(window.pages, items.map(ofExchange))];
  return { ...window, pages, later: touches(pages, stream) ? undefined : later };
}

export function windowAround({ items, next, later }: Page, stream: StreamPart): ChatWindow {
  const pages = items.map(ofExchange);
  return { pages, next, later: touches(pages, stream) ? undefined : later };
}

/** After the stream's part went from `before` to `after`. */
export function withFallen(window: ChatWindow, before: StreamPart, after: StreamPart): ChatWindow | undefined {
  if (before.items.length > 0 && after.items.length === 0) return undefined;
  if (window.later !== undefined) return window;
  const sent = before.items.filter((one) => one.item.command !== undefined && !isLoose(after, one));
  const fallen = notIn(window.pages, notIn(after.items, sent));
  return fallen.length === 0 ? window : { ...window, pages: [...window.pages, ...fallen] };
}

export function shownOf(window: ChatWindow | undefined, stream: StreamPart): readonly ChatItem[] {
  if (window === undefined) return stream.items;
  const there = new Map(stream.items.map((one) => [one.item.command ?? one.item.key, one]));
  const pages = window.pages.map((one) => there.get(one.item.command ?? one.item.key) ?? one);
  if (window.later !== undefined) return pages;
  const rest = notIn(pages, stream.items);
  const loose = rest.filter((one) => isLoose(stream, one));
  return [...loose, ...pages, ...rest.filter((one) => !isLoose(stream, one))];
}

const isLoose = ({ loose }: StreamPart, { item }: ChatItem): boolean => loose.has(item.command ?? "");

/** A loose one that both have joins nothing. */
function touches(pages: readonly ChatItem[], stream: StreamPart): boolean {
  const there = commandsOf(stream.items.filter((one) => !isLoose(stream, one)));
  return pages.some(({ item }) => there.has(item.command));
}

function notIn(others: readonly ChatItem[], items: readonly ChatItem[]): readonly ChatItem[] {
  const there = commandsOf(others);
  return items.filter(({ item }) => !there.has(item.command));
}

function commandsOf(items: readonly ChatItem[]): ReadonlySet<string | undefined> {
  return new Set(items.flatMap(({ item }) => item.command ?? []));
}
