/**
 * The state of one stream as one component folds it, outside React.
 *
 * State and cursor move together (ST-6), so a component that lets go and comes back (StrictMode does so on
 * purpose) reads on from where its state is, and a reducer that throws leaves both where they were. One
 * change is told per message of the server, however many events it holds.
 */
import type { AppliedEvent, Session, SubscriptionStatus } from "@holdfast/client";
import type { Cursor, From } from "@holdfast/protocol";

export interface Fold<State> {
  readonly reducer: (state: State, event: AppliedEvent) => State;
  readonly initial: State;
  readonly snapshot: ((data: Readonly<Record<string, unknown>>) => State) | undefined;
}

export interface StreamView<State> {
  readonly state: State;
  readonly status: SubscriptionStatus;
  /** Why it stopped, or was refused. */
  readonly error: unknown;
}

export interface StreamStore<State> {
  view(): StreamView<State>;
  onChange(listener: () => void): () => void;
  /** Subscribes; returns how to let go. `fold` is asked at each message, so its identity changes nothing (F07). */
  attach(session: Session, stream: string, from: From, fold: () => Fold<State>): () => void;
}

export function makeStreamStore<State>(initial: State): StreamStore<State> {
  const listeners = new Set<() => void>();
  let cursor: Cursor | undefined;
  let current: StreamView<State> = { state: initial, status: { kind: "waiting" }, error: undefined };
  const change = (next: Partial<StreamView<State>>): void => {
    current = { ...current, ...next };
    for (const listener of listeners) listener();
  };
  return {
    view: () => current,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    attach(session, stream, from, fold) {
      const { snapshot } = fold();
      const subscription = session.subscribe(stream, {
        from: cursor ?? from,
        onEvents(events, position) {
          const state = events.reduce(fold().reducer, current.state);
          cursor = position.cursor;
          change({ state });
        },
        ...(snapshot === undefined
          ? {}
          : {
              onSnapshot(data: Readonly<Record<string, unknown>>, position: { readonly cursor: Cursor }) {
                const state = fold().snapshot?.(data) ?? current.state;
                cursor = position.cursor;
                change({ state });
              },
            }),
        onReset() {
          cursor = undefined;
          change({ state: fold().initial });
        },
        onStatus(status) {
          change({ status, error: status.kind === "stopped" || status.kind === "refused" ? status.error : undefined });
        },
        // What it was is in the status; who shows it decides.
        onError() {},
      });
      return () => subscription.unsubscribe();
    },
  };
}
