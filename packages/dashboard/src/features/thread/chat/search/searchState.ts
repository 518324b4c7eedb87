/**
 * A search in a thread: what is looked for, where it was found so far, and which of these places is shown.
 *
 *   typed ──► searching ──page──► found so far ──(nothing yet, and more to look through: on by itself)──► done
 *                 └──refused, or no answer──► failed ──again──► searching
 *
 * Pure. Places come from the newest back, page by page. Invariants: an answer to what is no longer looked for changes nothing;
 * a place once shown stays until the person goes on; by itself it goes on for {@link emptyPagesMax} pages only.
 */
import type { Found } from "@holdfast/control/contract";
import type { ProtocolError } from "@holdfast/protocol";

/** Pages without a find that are looked through in a row; each is up to 800 messages (`thread.search`). */
export const emptyPagesMax = 5;

export interface SearchState {
  /** Empty: nothing is looked for. */
  readonly text: string;
  readonly places: readonly Found[];
  /** Index of the place that is shown; -1 while there is none. */
  readonly index: number;
  /** From where to look on; undefined: all was looked through, or nothing was yet. */
  readonly next: string | undefined;
  readonly isSearching: boolean;
  readonly error: ProtocolError | undefined;
  readonly emptyPages: number;
}

export const noSearch: SearchState = {
  text: "",
  places: [],
  index: -1,
  next: undefined,
  isSearching: false,
  error: undefined,
  emptyPages: 0,
};

export type SearchAction =
  | { readonly kind: "typed"; readonly text: string }
  | {
      readonly kind: "page";
      readonly text: string;
      readonly items: readonly Found[];
      readonly next?: string | undefined;
    }
  | { readonly kind: "failed"; readonly text: string; readonly error: ProtocolError }
  /** The next place further back; after the last one known, more are looked for. */
  | { readonly kind: "earlier" }
  | { readonly kind: "later" }
  /** Further back, or once more after an error. */
  | { readonly kind: "on" };

export function reduceSearch(state: SearchState, action: SearchAction): SearchState {
  switch (action.kind) {
    case "typed": {
      const text = action.text.trim();
      return text === state.text ? state : { ...noSearch, text, isSearching: text !== "" };
    }
    case "page":
      return action.text === state.text && state.isSearching ? withPage(state, action.items, action.next) : state;
    case "failed":
      return action.text === state.text ? { ...state, isSearching: false, error: action.error } : state;
    case "earlier":
      if (state.index < state.places.length - 1) return { ...state, index: state.index + 1 };
      return state.next === undefined || state.isSearching ? state : on(state);
    case "later":
      return state.index > 0 ? { ...state, index: state.index - 1 } : state;
    case "on":
      return state.text === "" || state.isSearching ? state : on(state);
  }
}

/** The place that is shown. */
export const placeOf = ({ places, index }: SearchState): Found | undefined => places[index];

const on = (state: SearchState): SearchState => ({ ...state, isSearching: true, error: undefined, emptyPages: 0 });

function withPage(state: SearchState, items: readonly Found[], next: string | undefined): SearchState {
  const emptyPages = items.length === 0 ? state.emptyPages + 1 : 0;
  const isSearching = items.length === 0 && next !== undefined && emptyPages < emptyPagesMax;
  // Whoever asked for the next place is led to it; the first is the newest.
  const index = items.length > 0 ? state.places.length : state.index;
  return { ...state, places: [...state.places, ...items], index, next, emptyPages, isSearching };
}
