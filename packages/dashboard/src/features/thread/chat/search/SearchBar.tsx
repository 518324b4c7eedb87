/**
 * Search in a conversation: as typed, Enter for the next place further back, Shift+Enter for the one after it, Escape to end.
 *
 * Where it stands is said in words to whoever does not see the marks; ending it leaves the keyboard at the place found.
 */
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { isLinked } from "../../../../shared/data/connectionHistory.ts";
import { useConnectionNow } from "../../../../shared/data/LiveData.tsx";
import { problemText } from "../../../../shared/format/problem.ts";
import { visibleText } from "../../../../shared/format/visibleText.ts";
import { Button } from "../../../../shared/ui/Button.tsx";
import { CloseIcon, DownIcon, UpIcon } from "../../../../shared/ui/icons.tsx";
import { placeOf, type SearchAction, type SearchState } from "./searchState.ts";

/** As the server takes them. */
const textLengthMax = 200;

interface Props {
  readonly state: SearchState;
  readonly act: (action: SearchAction) => void;
}

export function SearchBar({ state, act, onClose }: Props & { readonly onClose: () => void }): ReactNode {
  const [typed, setTyped] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const keys = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") onClose();
    else if (event.key === "Enter") act({ kind: event.shiftKey ? "later" : "earlier" });
    else return;
    event.preventDefault();
  };
  const isLast = state.index >= state.places.length - 1;
  return (
    <search className="flex flex-wrap items-center gap-x-2 gap-y-1 border-b border-line bg-surface px-3 py-1 text-sm">
      <input
        data-testid="chat-search-input"
        aria-label="Search in this thread"
        placeholder="Search in this thread"
        type="text"
        enterKeyHint="search"
        ref={input}
        value={typed}
        maxLength={textLengthMax}
        onChange={(event) => {
          setTyped(event.target.value);
          act({ kind: "typed", text: event.target.value });
        }}
        onKeyDown={keys}
        className="h-7 min-w-0 flex-1 basis-40 rounded-md border border-line-strong bg-raised px-2 text-text"
      />
      <Standing state={state} />
      <Button
        aria-label="Earlier match"
        data-testid="chat-search-earlier"
        disabled={state.places.length === 0 || (isLast && (state.next === undefined || state.isSearching))}
        onClick={() => act({ kind: "earlier" })}
      >
        <UpIcon />
      </Button>
      <Button
        aria-label="Later match"
        data-testid="chat-search-later"
        disabled={state.index <= 0}
        onClick={() => act({ kind: "later" })}
      >
        <DownIcon />
      </Button>
      <Button aria-label="End search" data-testid="chat-search-end" onClick={onClose}>
        <CloseIcon />
      </Button>
      <Further state={state} act={act} />
    </search>
  );
}

/** `2 of 14`, and what is found there for who does not see it. */
function Standing({ state }: { readonly state: SearchState }): ReactNode {
  const { state: connection } = useConnectionNow();
  const place = placeOf(state);
  return (
    <p aria-live="polite" data-testid="chat-search-standing" className="min-w-16 text-right text-muted tabular-nums">
      {standing(state, isLinked(connection))}
      {place !== undefined && <span className="sr-only">: {visibleText(place.excerpt)}</span>}
    </p>
  );
}

function standing({ text, places, index, next, isSearching, error }: SearchState, hasLink: boolean): string {
  if (text === "" || error !== undefined) return "";
  if (isSearching) return hasLink ? "Searching …" : "Waiting for a connection …";
  if (places.length > 0) return `${index + 1} of ${places.length}${next === undefined ? "" : "+"}`;
  return next === undefined ? "Not found" : "Not found yet";
}

/** What has stopped the search before the thread's beginning, and the way on. */
function Further({ state, act }: Props): ReactNode {
  const { text, places, next, isSearching, error } = state;
  if (text === "" || isSearching) return null;
  if (error !== undefined) {
    return (
      <div className="flex w-full flex-wrap items-center gap-2">
        <p role="alert" data-testid="chat-search-error" className="min-w-0 text-danger">
          {problemText(error)}
        </p>
        <Button onClick={() => act({ kind: "on" })}>Try again</Button>
      </div>
    );
  }
  if (places.length > 0 || next === undefined) return null;
  return (
    <div className="flex w-full flex-wrap items-center gap-2">
      <p className="text-muted">Nothing in the newest messages.</p>
      <Button data-testid="chat-search-on" onClick={() => act({ kind: "on" })}>
        Search further back
      </Button>
    </div>
  );
}
