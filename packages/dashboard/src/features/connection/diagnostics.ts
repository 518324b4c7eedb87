/**
 * What "copy diagnostics" copies: enough to find this page's trouble in the server's log, and nothing secret.
 *
 * No credential, no command, no output: only this page's own life.
 */
import type { SessionState, SessionStatistics } from "@holdfast/client";
import type { ConnectionHistory } from "../../shared/data/connectionHistory.ts";

export function diagnostics(input: {
  readonly at: number;
  readonly version: string;
  readonly mode: string;
  readonly user: string | undefined;
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  readonly outbox: number;
  readonly clockOffset: number;
  readonly history: ConnectionHistory;
  readonly browser: string;
  readonly online: boolean;
}): string {
  const { history, at, ...rest } = input;
  const iso = (ms: number): string => new Date(ms).toISOString();
  return JSON.stringify(
    {
      product: "holdfast page",
      at: iso(at),
      ...rest,
      unlinkedSince: history.unlinkedSince === undefined ? null : iso(history.unlinkedSince),
      changes: history.changes.map((change) => ({ at: iso(change.at), ...change.state })),
    },
    undefined,
    2,
  );
}
