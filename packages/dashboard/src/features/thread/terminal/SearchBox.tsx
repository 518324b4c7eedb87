/** Search in the terminal: as typed, Enter for the next, Shift+Enter for the one before, Escape to end. */
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "../../../shared/ui/Button.tsx";
import { CloseIcon, DownIcon, UpIcon } from "../../../shared/ui/icons.tsx";

export function SearchBox(props: {
  readonly found: { readonly index: number; readonly total: number } | undefined;
  readonly onFind: (text: string, which: "last" | "next" | "previous") => void;
  readonly onClose: () => void;
}): ReactNode {
  const { found, onFind } = props;
  const [text, setText] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const keys = (event: KeyboardEvent): void => {
    if (event.key === "Escape") props.onClose();
    else if (event.key === "Enter") onFind(text, event.shiftKey ? "previous" : "next");
    else return;
    event.preventDefault();
  };
  return (
    <search className="flex items-center gap-1 border-b border-line bg-surface px-3 py-1 text-sm">
      <input
        data-testid="terminal-search-input"
        aria-label="Search in the terminal"
        placeholder="Search in the terminal"
        ref={input}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          onFind(event.target.value, "last");
        }}
        onKeyDown={keys}
        className="h-7 min-w-0 flex-1 rounded-md border border-line-strong bg-raised px-2 text-text"
      />
      <span aria-live="polite" className="min-w-20 text-right text-muted tabular-nums">
        {text !== "" && foundText(found)}
      </span>
      <Button aria-label="Previous match" onClick={() => onFind(text, "previous")}>
        <UpIcon />
      </Button>
      <Button aria-label="Next match" onClick={() => onFind(text, "next")}>
        <DownIcon />
      </Button>
      <Button aria-label="End search" onClick={props.onClose}>
        <CloseIcon />
      </Button>
    </search>
  );
}

function foundText(found: { readonly index: number; readonly total: number } | undefined): string {
  if (found === undefined || found.total === 0) return "not found";
  return found.index < 0 ? `over ${found.total}` : `${found.index + 1} of ${found.total}`;
}
