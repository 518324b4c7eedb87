/**
 * A thin bar after some seconds without a link: what is shown is from before, and why. No toast for a blip,
 * nothing is cleared. Where it does not mend by itself: what to do, and one button.
 */
import type { ReactNode } from "react";
import { useLive } from "../../shared/data/LiveData.tsx";
import { timeOfDay } from "../../shared/format/time.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { useConnectionFacts } from "./useConnectionFacts.ts";

/** Without a link for this long, the person is told. */
export const quietMs = 5_000;

export function ConnectionBar({ onSignIn }: { readonly onSignIn: () => void }): ReactNode {
  const { session } = useLive();
  const { connection, now, facts } = useConnectionFacts();
  const { unlinkedSince, freshAt } = connection.history;
  const isShown = facts.link.kind === "ended" || (unlinkedSince !== undefined && now - unlinkedSince >= quietMs);
  return (
    <div aria-live="polite">
      {isShown && (
        <div
          data-testid="connection-bar"
          className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-attention bg-attention-soft px-3 py-1 text-sm text-text"
        >
          <p className="min-w-0 flex-1">
            {facts.needsPerson
              ? facts.reason
              : `No connection to the server. ${seen(freshAt)} Agents go on with their work.`}
          </p>
          {facts.needsSignIn && (
            <Button tone="accent" onClick={onSignIn}>
              Sign in again
            </Button>
          )}
          {facts.canTryNow && <Button onClick={() => session.reconnect()}>Try now</Button>}
        </div>
      )}
    </div>
  );
}

const seen = (freshAt: number | undefined): string =>
  freshAt === undefined ? "Nothing could be loaded yet." : `What you see is from ${timeOfDay(freshAt)}.`;
