/** The connection in words: the reason, the next attempt, this session's counts, and all of it to copy. */
import { Link } from "@tanstack/react-router";
import { Popover } from "radix-ui";
import { type ReactNode, useState } from "react";
import { useConnectionNow, useLive } from "../../shared/data/LiveData.tsx";
import { copyText } from "../../shared/platform/clipboard.ts";
import { pageClock } from "../../shared/platform/clockShell.ts";
import { Button } from "../../shared/ui/Button.tsx";
import { useNow } from "../../shared/ui/useNow.ts";
import { Counts } from "./Counts.tsx";
import type { ConnectionFacts } from "./connectionFacts.ts";
import { diagnostics } from "./diagnostics.ts";
import { ledgerText } from "./ledgerWords.ts";

export function ConnectionDetails(props: {
  readonly facts: ConnectionFacts;
  readonly onSignIn: () => void;
}): ReactNode {
  const { facts } = props;
  const { session } = useLive();
  return (
    <div className="flex flex-col gap-3">
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        <dt className="text-muted">Link</dt>
        <dd>{facts.link.text}</dd>
        <dt className="text-muted">Data</dt>
        <dd>{facts.data.text}</dd>
        <dt className="text-muted">Sends</dt>
        <dd>{facts.sends ?? "none waiting"}</dd>
      </dl>
      <p>{facts.reason}</p>
      {facts.canTryNow && (
        <div>
          <Button data-testid="connection-try-now" tone="accent" onClick={() => session.reconnect()}>
            Try now
          </Button>
        </div>
      )}
      {facts.needsSignIn && (
        <div>
          <Button tone="accent" onClick={props.onSignIn}>
            Sign in again
          </Button>
        </div>
      )}
      <LedgerLine />
      <div className="border-t border-line pt-3">
        <Counts />
      </div>
      <CopyDiagnostics />
    </div>
  );
}

/** What came, counted beside the session; and where to try to break it. */
function LedgerLine(): ReactNode {
  const { ledger } = useLive();
  useNow();
  return (
    <section aria-label="Ledger" className="border-t border-line pt-3">
      <p data-testid="connection-ledger" className="tabular-nums">
        {ledgerText(ledger.totals())}
      </p>
      <Popover.Close asChild>
        <Link to="/weather" className="text-accent underline">
          Try to break it
        </Link>
      </Popover.Close>
    </section>
  );
}

function CopyDiagnostics(): ReactNode {
  const { about } = useLive();
  const connection = useConnectionNow();
  const [said, setSaid] = useState("");
  const copy = async (): Promise<void> => {
    const { user, ...rest } = connection;
    const text = diagnostics({
      ...rest,
      at: pageClock.now(),
      version: about.version,
      mode: about.mode,
      user: user?.id,
      browser: navigator.userAgent,
      online: navigator.onLine,
    });
    setSaid((await copyText(text)) ? "Copied" : "The browser did not allow copying");
  };
  return (
    <div className="flex items-center gap-3 border-t border-line pt-3">
      <Button data-testid="connection-copy" onClick={() => void copy()}>
        Copy diagnostics
      </Button>
      <span aria-live="polite" className="text-muted">
        {said}
      </span>
    </div>
  );
}
