/** The connection in words: the reason, the next attempt, this session's counts, and all of it to copy. */
import { type ReactNode, useState } from "react";
import { useConnectionNow, useLive } from "../../shared/data/LiveData.tsx";
import { duration } from "../../shared/format/time.ts";
import { copyText } from "../../shared/platform/clipboard.ts";
import { pageClock } from "../../shared/platform/clockShell.ts";
import { Button } from "../../shared/ui/Button.tsx";
import type { ConnectionFacts } from "./connectionFacts.ts";
import { diagnostics } from "./diagnostics.ts";

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
      <Counts />
      <CopyDiagnostics />
    </div>
  );
}

function Counts(): ReactNode {
  const { statistics } = useConnectionNow();
  const rows: readonly (readonly [string, string])[] = [
    ["Events received", statistics.received.toLocaleString("en-GB")],
    ["Applied", statistics.applied.toLocaleString("en-GB")],
    ["Duplicates suppressed", statistics.duplicatesSuppressed.toLocaleString("en-GB")],
    ["Gaps repaired", statistics.gapsRepaired.toLocaleString("en-GB")],
    ["Reconnects", statistics.reconnects.toLocaleString("en-GB")],
    ["Longest gap", duration(statistics.longestGapMs)],
  ];
  return (
    <section aria-label="Counts of this session" className="border-t border-line pt-3">
      <h2 className="mb-1 text-xs font-semibold text-muted">This session</h2>
      <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-0.5">
        {rows.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="text-right tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
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
