/** The thread's recent commands above the composer, each with its step on the ladder. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useConnectionNow, useSends } from "../../shared/data/LiveData.tsx";
import { duration } from "../../shared/format/time.ts";
import { visibleText } from "../../shared/format/visibleText.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { StateMark } from "../../shared/ui/StateMark.tsx";
import { useNow } from "../../shared/ui/useNow.ts";
import { CommandActions } from "./CommandActions.tsx";
import { type LadderItem, ladderSteps, recentItems } from "./ladder.ts";

export function CommandList(props: {
  readonly items: readonly LadderItem[];
  /** Where they can be stopped and taken back; none where nothing is in a thread yet, or for who only watches. */
  readonly thread?: string | undefined;
}): ReactNode {
  const { items, thread } = props;
  const [isUnfolded, setUnfolded] = useState(false);
  const recent = recentItems(items);
  const shown = isUnfolded ? items : recent;
  const list = useRef<HTMLOListElement>(null);
  const newest = shown.at(-1)?.key;
  // The newest is last: it must be in view when it comes.
  useEffect(() => {
    if (newest !== undefined && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [newest]);
  if (items.length === 0) return null;
  return (
    <section aria-label="Commands" className="border-t border-line bg-surface px-3 py-1.5">
      {items.length > recent.length && (
        <Button tone="quiet" aria-expanded={isUnfolded} onClick={() => setUnfolded(!isUnfolded)} className="-ml-2">
          {isUnfolded ? "Show recent commands only" : `Show all ${items.length.toLocaleString("en-GB")} commands`}
        </Button>
      )}
      <ol ref={list} aria-live="polite" aria-relevant="additions text" className="max-h-48 overflow-y-auto">
        {shown.map((item) => (
          <CommandRow key={item.key} item={item} thread={thread} />
        ))}
      </ol>
    </section>
  );
}

function CommandRow(props: { readonly item: LadderItem; readonly thread: string | undefined }): ReactNode {
  const { item, thread } = props;
  return (
    <li
      data-testid="command-item"
      data-command={item.command}
      data-state={item.state}
      data-outcome={item.outcome ?? undefined}
      data-text={item.text}
      className="flex min-h-6 flex-wrap items-center gap-x-3 gap-y-0.5 py-0.5 text-xs"
    >
      <StateMark shape={item.mark} />
      <code title={visibleText(item.text, { keepLines: true })} className="min-w-24 flex-1 truncate font-mono">
        {visibleText(item.text)}
      </code>
      {item.progress !== null && <span className="max-w-64 truncate text-muted">{visibleText(item.progress)}</span>}
      {item.word === "" ? (
        <Ladder item={item} />
      ) : (
        <span className={`max-w-full truncate ${wordColour(item)}`}>{visibleText(item.word)}</span>
      )}
      <SendActions item={item} />
      {thread !== undefined && <CommandActions item={item} thread={thread} />}
    </li>
  );
}

const wordColour = (item: LadderItem): string => {
  if (item.state === "refused" || item.outcome === "failed") return "text-danger";
  return item.state === "unknown" || item.outcome === "lost" ? "text-attention" : "text-muted";
};

/** The steps in words, the reached ones strong; on a narrow screen the last reached alone. */
function Ladder({ item }: { readonly item: LadderItem }): ReactNode {
  return (
    <span className="text-muted">
      <span className="sr-only">State: {ladderSteps[item.reached]}</span>
      <span aria-hidden="true">
        {ladderSteps.map((step, index) => (
          <span key={step} className={index === item.reached ? "" : "max-md:hidden"}>
            {index > 0 && <span className="max-md:hidden"> → </span>}
            <span
              className={index === item.reached ? "font-semibold text-accent" : index < item.reached ? "text-text" : ""}
            >
              {step}
            </span>
          </span>
        ))}
      </span>
      {item.runningSince !== null && <Elapsed since={item.runningSince} />}
    </span>
  );
}

function Elapsed({ since }: { readonly since: number }): ReactNode {
  const now = useNow();
  const { clockOffset } = useConnectionNow();
  const passed = Math.max(0, Math.floor((now + clockOffset - since) / 1_000) * 1_000);
  return <span className="tabular-nums" aria-hidden="true">{` · ${passed < 1_000 ? "0 s" : duration(passed)}`}</span>;
}

/** What can be done with one that is not yet, or not known to be, on the server. */
export function SendActions({ item }: { readonly item: LadderItem }): ReactNode {
  const { sends, withdraw, dismiss } = useSends();
  const { history } = useConnectionNow();
  const send = sends.find((candidate) => candidate.key === item.key);
  if (send === undefined) return null;
  if (item.state === "refused" || item.state === "unknown") {
    return (
      <Button tone="quiet" onClick={() => dismiss(send.key)}>
        Dismiss
      </Button>
    );
  }
  // Only what was written without a link, and has had none since, was surely never sent.
  const isUnsent =
    item.state === "saved" && history.unlinkedSince !== undefined && send.savedAt >= history.unlinkedSince;
  if (!isUnsent) return null;
  return (
    <Button tone="quiet" onClick={() => withdraw(send.key)}>
      Withdraw
    </Button>
  );
}
