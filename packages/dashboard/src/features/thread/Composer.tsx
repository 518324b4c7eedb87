/**
 * Where a person writes to an agent: Enter sends, Shift+Enter is a new line, one button.
 *
 * What was typed is a draft of its place, kept until the server has it: it comes back when a send is refused. A
 * first command leads to its new thread, and whoever was writing goes on there (`isWriting`).
 */
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { isLinked } from "../../shared/data/connectionHistory.ts";
import { useConnectionNow, useSends } from "../../shared/data/LiveData.tsx";
import type { SendTarget } from "../../shared/data/sends.ts";
import { placeOf } from "../../shared/data/sendsStore.ts";
import { useDraft } from "../../shared/data/useDraft.ts";

/** The server takes 60,000 bytes of text; a longer one is told before it is sent. */
const textBytesMax = 60_000;
const rowsMax = 8;

export function Composer(props: {
  readonly target: SendTarget;
  readonly label: string;
  /** Words for a person or a model, no code. */
  readonly isProse?: boolean;
  /** What the person should know before sending: the agent is offline. */
  readonly hint: string | undefined;
  readonly onAccepted?: (thread: string) => void;
  /** Whether the person is writing already: keys come here from the beginning. */
  readonly isWriting?: boolean;
}): ReactNode {
  const { target, isWriting = false, isProse = false } = props;
  const place = placeOf(target);
  const [text, write] = useDraft(place);
  const [problem, setProblem] = useState<string>();
  const { send } = useSends();
  const { state } = useConnectionNow();
  const id = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (isWriting) input.current?.focus();
  }, [isWriting]);

  const submit = async (): Promise<void> => {
    if (text.trim() === "") return;
    const bytes = new TextEncoder().encode(JSON.stringify(text)).length;
    if (bytes > textBytesMax) {
      setProblem(
        `This is ${bytes.toLocaleString("en-GB")} bytes; a command may have ${textBytesMax.toLocaleString("en-GB")}. Put long text into a file and name it.`,
      );
      return;
    }
    setProblem(undefined);
    write("");
    const result = await send(target, text);
    if (result.kind === "accepted") props.onAccepted?.(result.thread);
    if (result.kind === "refused") setProblem(result.problem);
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void submit();
  };

  const hint = isLinked(state)
    ? props.hint
    : "No connection: what you send is saved here, and goes out by itself when there is one.";
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      className="flex flex-col gap-1 border-t border-line bg-surface px-3 py-2"
    >
      <div className="flex items-end gap-2">
        <label htmlFor={id} className="sr-only">
          {props.label}
        </label>
        <textarea
          id={id}
          ref={input}
          data-testid="composer-input"
          rows={Math.min(rowsMax, text.split("\n").length)}
          value={text}
          onChange={(event) => write(event.target.value)}
          onKeyDown={keys}
          placeholder={props.label}
          spellCheck={isProse}
          autoCapitalize={isProse ? "sentences" : "none"}
          aria-describedby={`${id}-hint`}
          className={`min-h-9 flex-1 resize-none rounded-md border border-line-strong bg-raised px-3 py-1.5 leading-5 text-text placeholder:truncate ${isProse ? "" : "font-mono text-sm"}`}
        />
        <button
          type="submit"
          data-testid="composer-send"
          disabled={text.trim() === ""}
          className="h-9 shrink-0 rounded-md border border-accent bg-accent px-4 font-medium text-on-accent hover:bg-accent-hover disabled:border-line-strong disabled:bg-transparent disabled:text-muted"
        >
          Send
        </button>
      </div>
      <p id={`${id}-hint`} aria-live="polite" className="text-xs text-muted empty:hidden">
        {hint}
      </p>
      {problem !== undefined && (
        <p role="alert" data-testid="composer-error" className="text-sm text-danger">
          {problem}
        </p>
      )}
    </form>
  );
}
