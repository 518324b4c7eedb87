/** What the connection is doing, for a pill and a ledger. */
import type { SessionState, SessionStatistics } from "@holdfast/client";
import { useMemo, useSyncExternalStore } from "react";
import { useSession } from "./provider.tsx";

export interface ConnectionView {
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  /** Requests not yet answered. */
  readonly outbox: number;
}

/** The same object until one of its parts changed. */
export function useConnection(): ConnectionView {
  const session = useSession();
  const state = useSyncExternalStore(session.onChange, () => session.state);
  const statistics = useSyncExternalStore(session.onChange, () => session.statistics);
  const outbox = useSyncExternalStore(session.onChange, () => session.outbox);
  return useMemo(() => ({ state, statistics, outbox }), [state, statistics, outbox]);
}
