/**
 * What threads hold, as far as retention may take it: each event's scope, and where its scope has a keyframe (ST-10).
 *
 * A model of its own, from the events' names and ids alone: what keyframes replace may go, and nothing else may before
 * its whole beginning does. Invariant: an offset is told as removed once.
 */

type Fields = Readonly<Record<string, unknown>>;

interface Entry {
  readonly event: string;
  /** What a later keyframe of the same scope replaces; undefined: nothing does. */
  readonly scope: string | undefined;
}

interface Book {
  readonly entries: Map<number, Entry>;
  /** Scope → offset of its newest keyframe. */
  readonly keyframes: Map<string, number>;
}

export interface ThreadBooks {
  readonly isEmpty: boolean;
  committed(place: string, offset: number, event: string, data: Fields): void;
  /** A rollback left the first `head` events. */
  cut(place: string, head: number): void;
  /** What is gone beyond `trimmed`, by the offsets that are `left`; and forgets all that is gone. */
  removed(
    place: string,
    trimmed: number,
    left: ReadonlySet<number> | undefined,
  ): readonly { readonly offset: number; readonly event: string; readonly isReplaced: boolean }[];
}

const threadPrefix = "thread/";

export function makeThreadBooks(): ThreadBooks {
  const books = new Map<string, Book>();
  return {
    get isEmpty() {
      return books.size === 0;
    },
    committed(place, offset, event, data) {
      if (!place.split("\n")[1]?.startsWith(threadPrefix)) return;
      const book = books.get(place) ?? { entries: new Map(), keyframes: new Map() };
      books.set(place, book);
      const scope = scopeOf(event, data);
      book.entries.set(offset, { event, scope });
      if (scope !== undefined && isKeyframe(event)) book.keyframes.set(scope, offset);
    },
    cut(place, head) {
      const book = books.get(place);
      if (book === undefined) return;
      for (const offset of book.entries.keys()) if (offset > head) book.entries.delete(offset);
      for (const [scope, offset] of book.keyframes) if (offset > head) book.keyframes.delete(scope);
    },
    removed(place, trimmed, left) {
      const book = books.get(place);
      if (book === undefined) return [];
      const gone = [...book.entries].filter(([offset]) => left?.has(offset) !== true);
      for (const [offset] of gone) book.entries.delete(offset);
      return gone
        .filter(([offset]) => offset > trimmed)
        .map(([offset, { event, scope }]) => ({
          offset,
          event,
          isReplaced: scope !== undefined && (book.keyframes.get(scope) ?? 0) > offset,
        }));
    },
  };
}

function isKeyframe(event: string): boolean {
  return event === "terminal.screen" || event === "message.finished";
}

function scopeOf(event: string, { terminal, message }: Fields): string | undefined {
  switch (event) {
    case "terminal.output":
    case "terminal.resized":
    case "terminal.screen":
      return `terminal ${String(terminal)}`;
    case "text.delta":
    case "message.finished":
      return `message ${String(message)}`;
    default:
      return undefined;
  }
}
