/**
 * What one person has typed and not sent, by place: kept in this browser, in step between its tabs.
 *
 *   typed ──► kept ──sent, or emptied──► (gone)
 *     another tab typed ──► shown here too, unless a person is typing here: then what they type wins, with their next key
 *
 * Pure: the storage is a port. Invariants: a draft belongs to one person, and nobody else's is ever read; what a person
 * types in this window is never replaced under their fingers; at most {@link draftsMax} drafts are kept, the oldest go first,
 * and {@link draftsCharsMax} characters of all of them. A storage that refuses only means that a draft lives as long as its page.
 */
export const draftsMax = 50;
/** UTF-16 units, as storages count. A longer draft is not kept, but stays while its page lives. */
export const draftCharsMax = 100_000;
export const draftsCharsMax = 500_000;
/** Of every key, so that all of them can be found again. */
const prefix = "holdfast.draft.";

/** A storage that all tabs of this origin share; it never throws. */
export interface DraftStorage {
  keys(): readonly string[];
  read(key: string): string | undefined;
  write(key: string, value: string): void;
  remove(key: string): void;
  /** ms since 1970. */
  now(): number;
  /** Whether a person can be typing in this window. */
  isFocused(): boolean;
  /** `changed`: another tab wrote this key, undefined: any. `left`: this window is no longer the one that is typed in. */
  listen(heard: { changed(key: string | undefined): void; left(): void }): () => void;
}

export interface Drafts {
  /** Empty where there is none. */
  text(place: string): string;
  set(place: string, text: string): void;
  /** Listens to other tabs while somebody listens here. */
  onChange(listener: () => void): () => void;
  /** From now on nothing is kept, whoever still writes. */
  close(): void;
}

interface Draft {
  readonly text: string;
  /** When it was typed, ms since 1970. */
  readonly at: number;
}

export function makeDrafts(person: string, storage: DraftStorage): Drafts {
  const start = keyOf(person, "");
  const listeners = new Set<() => void>();
  /** Typed in this window since it was last left. */
  const typed = new Set<string>();
  let drafts = readAll(storage, start);
  let unlisten = (): void => {};
  let isClosed = false;

  const show = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const keep = (place: string, { text, at }: Draft): void => {
    if (text === "") storage.remove(start + place);
    else if (text.length <= draftCharsMax) storage.write(start + place, JSON.stringify({ text, at }));
  };
  const drop = (place: string): void => {
    drafts.delete(place);
    storage.remove(start + place);
  };
  const changed = (key: string | undefined): void => {
    if (key !== undefined && !key.startsWith(start)) return;
    const now = readAll(storage, start);
    if (storage.isFocused()) {
      for (const place of typed) {
        const here = drafts.get(place);
        if (here === undefined) now.delete(place);
        else now.set(place, here);
      }
    }
    drafts = now;
    show();
  };
  const left = (): void => {
    for (const place of typed) keep(place, drafts.get(place) ?? { text: "", at: 0 });
    typed.clear();
  };

  return {
    text: (place) => drafts.get(place)?.text ?? "",
    set(place, text) {
      if (isClosed) return;
      const draft = { text, at: storage.now() };
      if (storage.isFocused()) typed.add(place);
      if (text === "") drafts.delete(place);
      else drafts.set(place, draft);
      keep(place, draft);
      for (const old of superfluous(drafts, place)) drop(old);
      show();
    },
    onChange(listener) {
      if (listeners.size === 0 && !isClosed) {
        unlisten = storage.listen({ changed, left });
        drafts = withTyped(readAll(storage, start), drafts, typed);
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) unlisten();
      };
    },
    close() {
      isClosed = true;
      unlisten();
      drafts = new Map();
      typed.clear();
      show();
    },
  };
}

/** Forgets everybody's drafts in this browser, but those of `except`. */
export function forgetDrafts(storage: Pick<DraftStorage, "keys" | "remove">, except?: string): void {
  const kept = except === undefined ? undefined : keyOf(except, "");
  for (const key of storage.keys())
    if (key.startsWith(prefix) && (kept === undefined || !key.startsWith(kept))) storage.remove(key);
}

/** No person's name is the beginning of another's. */
const keyOf = (person: string, place: string): string => `${prefix}${encodeURIComponent(person)}/${place}`;

function readAll(storage: DraftStorage, start: string): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  for (const key of storage.keys()) {
    const draft = key.startsWith(start) ? readDraft(storage.read(key)) : undefined;
    if (draft !== undefined) drafts.set(key.slice(start.length), draft);
  }
  return drafts;
}

/** Whatever a storage holds. */
function readDraft(kept: string | undefined): Draft | undefined {
  try {
    const { text, at } = JSON.parse(kept ?? "") as Partial<Record<keyof Draft, unknown>>;
    return typeof text === "string" && text !== "" && typeof at === "number" ? { text, at } : undefined;
  } catch {
    return undefined;
  }
}

function withTyped(kept: Map<string, Draft>, before: ReadonlyMap<string, Draft>, typed: ReadonlySet<string>) {
  for (const place of typed) {
    const draft = before.get(place);
    if (draft !== undefined) kept.set(place, draft);
  }
  return kept;
}

/** The oldest that are too many or too much, never the one that was just typed. */
function superfluous(drafts: ReadonlyMap<string, Draft>, newest: string): readonly string[] {
  const others = [...drafts].filter(([place]) => place !== newest).sort(([, one], [, other]) => other.at - one.at);
  let count = drafts.has(newest) ? 1 : 0;
  let chars = Math.min(drafts.get(newest)?.text.length ?? 0, draftCharsMax);
  return others.flatMap(([place, { text }]) => {
    count += 1;
    chars += text.length;
    return count > draftsMax || chars > draftsCharsMax ? [place] : [];
  });
}
