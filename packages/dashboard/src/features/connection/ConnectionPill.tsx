/** The connection in one small pill: link, data, sends; opening it explains. */
import { Popover } from "radix-ui";
import type { ReactNode } from "react";
import { type MarkShape, StateMark } from "../../shared/ui/StateMark.tsx";
import { ConnectionDetails } from "./ConnectionDetails.tsx";
import type { LinkKind } from "./connectionFacts.ts";
import { useConnectionFacts } from "./useConnectionFacts.ts";

const marks: Record<LinkKind, MarkShape> = {
  live: "working",
  opening: "queued",
  lost: "reconnecting",
  ended: "failed",
};

export function ConnectionPill({ onSignIn }: { readonly onSignIn: () => void }): ReactNode {
  const { connection, facts } = useConnectionFacts();
  const isCalm = facts.link.kind === "live" && facts.data.isFresh;
  return (
    <Popover.Root>
      <Popover.Trigger
        data-testid="connection-pill"
        data-state={connection.state.kind}
        className="inline-flex h-7 min-w-0 items-center gap-2 rounded-full border border-line-strong bg-raised px-2.5 text-sm hover:bg-hover"
      >
        <span className="sr-only">Connection: </span>
        <StateMark shape={marks[facts.link.kind]} />
        <span className="truncate">{facts.link.text}</span>
        <span className={`truncate text-muted ${isCalm ? "max-sm:hidden" : ""}`}>
          <span aria-hidden="true">· </span>
          {facts.data.text}
        </span>
        {facts.sends !== undefined && (
          <span className="truncate text-muted">
            <span aria-hidden="true">· </span>
            {facts.sends}
          </span>
        )}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          data-testid="connection-details"
          align="end"
          sideOffset={6}
          collisionPadding={8}
          aria-label="Connection"
          className="z-50 w-[min(24rem,calc(100vw-1rem))] rounded-lg border border-line-strong bg-raised p-4 text-sm shadow-lg"
        >
          <ConnectionDetails facts={facts} onSignIn={onSignIn} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
