/**
 * The session's public facts as one stable value, with what has to be remembered between two of them.
 *
 * What changes what a person can do (the link, who they are, what waits to be sent) is told at once. Counts rise with each
 * event, and nobody reads them so fast: they are told each {@link countsEachMs} at most, since whoever is told draws
 * itself anew. Invariant: what is shown last is what is so. It deliberately knows no React.
 */
import type { AnySession, SessionState, SessionStatistics } from "@holdfast/client";
import type { User } from "@holdfast/protocol";
import type { PageClock } from "../platform/clockShell.ts";
import { type ConnectionHistory, emptyHistory, recordState } from "./connectionHistory.ts";

/** How long a change of counts alone may wait, ms. */
export const countsEachMs = 500;

export interface ConnectionView {
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  readonly outbox: number;
  readonly user: User | undefined;
  /** Server clock minus ours, ms. */
  readonly clockOffset: number;
  readonly history: ConnectionHistory;
}

export class ConnectionStore {
  private readonly session: AnySession;
  private readonly clock: Pick<PageClock, "now" | "after">;
  private readonly listeners = new Set<() => void>();
  private current: ConnectionView;
  private stopWaiting: (() => void) | undefined;

  constructor(session: AnySession, clock: Pick<PageClock, "now" | "after">) {
    this.session = session;
    this.clock = clock;
    this.current = this.read(emptyHistory);
  }

  view = (): ConnectionView => this.current;

  onChange = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  start(): () => void {
    this.show();
    const stop = this.session.onChange(() => this.changed());
    return () => {
      stop();
      this.stopWaiting?.();
      this.stopWaiting = undefined;
    };
  }

  private changed(): void {
    if (factsOf(this.session) !== factsOf(this.current)) this.show();
    else this.stopWaiting ??= this.clock.after(countsEachMs, () => this.show());
  }

  private show(): void {
    this.stopWaiting?.();
    this.stopWaiting = undefined;
    this.current = this.read(this.current.history);
    for (const listener of this.listeners) listener();
  }

  private read(history: ConnectionHistory): ConnectionView {
    const { state, statistics, outbox, user, clockOffset } = this.session;
    return { state, statistics, outbox, user, clockOffset, history: recordState(history, state, this.clock.now()) };
  }
}

/** All but the counts. A tab is given copies, so they are compared by what they say. */
function factsOf({ state, outbox, user, clockOffset }: Omit<ConnectionView, "history" | "statistics">): string {
  return JSON.stringify([state, outbox, user, clockOffset]);
}
