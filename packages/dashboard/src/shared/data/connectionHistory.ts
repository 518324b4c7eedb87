/**
 * What the pill has to remember between two states: since when there is no link, when the data was last up
 * to date, and the last changes, for the diagnostics. Pure; it keeps reasons, never what was read.
 */
import type { SessionState } from "@holdfast/client";

/** Changes kept for "copy diagnostics". */
export const changesKeptMax = 50;

export interface ConnectionHistory {
  /** ms since 1970; undefined while there is a link. */
  readonly unlinkedSince: number | undefined;
  readonly freshAt: number | undefined;
  readonly last: SessionState["kind"] | undefined;
  readonly changes: readonly { readonly at: number; readonly state: SessionState }[];
}

export const emptyHistory: ConnectionHistory = {
  unlinkedSince: undefined,
  freshAt: undefined,
  last: undefined,
  changes: [],
};

export function recordState(history: ConnectionHistory, state: SessionState, now: number): ConnectionHistory {
  const linked = isLinked(state);
  const changed = history.last !== state.kind;
  return {
    unlinkedSince: linked ? undefined : (history.unlinkedSince ?? now),
    // The data was fresh until the moment in which it stopped being so.
    freshAt: state.kind === "live" || history.last === "live" ? now : history.freshAt,
    last: state.kind,
    changes: changed ? [...history.changes, { at: now, state }].slice(-changesKeptMax) : history.changes,
  };
}

export const isLinked = (state: SessionState): boolean =>
  state.kind === "live" || state.kind === "catchingUp" || state.kind === "degraded";
