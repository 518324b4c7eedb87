/** The session's public facts as one stable value, with what has to be remembered between two of them. */
import type { AnySession, SessionState, SessionStatistics } from "@holdfast/client";
import type { User } from "@holdfast/protocol";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { pageClock } from "../platform/clockShell.ts";
import { type ConnectionHistory, emptyHistory, recordState } from "./connectionHistory.ts";

export interface ConnectionView {
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  readonly outbox: number;
  readonly user: User | undefined;
  /** Server clock minus ours, ms. */
  readonly clockOffset: number;
  readonly history: ConnectionHistory;
}

export function useConnectionView(session: AnySession): ConnectionView {
  const store = useMemo(() => new ConnectionStore(session), [session]);
  useEffect(() => store.start(), [store]);
  return useSyncExternalStore(store.onChange, store.view);
}

class ConnectionStore {
  private readonly session: AnySession;
  private readonly listeners = new Set<() => void>();
  private current: ConnectionView;

  constructor(session: AnySession) {
    this.session = session;
    this.current = this.read(emptyHistory);
  }

  view = (): ConnectionView => this.current;

  onChange = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  start(): () => void {
    this.changed();
    return this.session.onChange(() => this.changed());
  }

  private changed(): void {
    this.current = this.read(this.current.history);
    for (const listener of this.listeners) listener();
  }

  private read(history: ConnectionHistory): ConnectionView {
    const { state, statistics, outbox, user, clockOffset } = this.session;
    return { state, statistics, outbox, user, clockOffset, history: recordState(history, state, pageClock.now()) };
  }
}
