/**
 * Who is there: from the ends of connections to changes of status, as a pure core.
 *
 * The live connection is the source, never a row's age (F51). An accepted `hello` makes its agent `online` in
 * its own transaction (enrolment); here is what follows when connections end. Life cycle of a loss: the
 * connection ends → {@link reconnectingAfterMs} later `reconnecting` → {@link offlineAfterMs} after the end
 * `offline`; a return at any point stops it. A polite end is `offline` at once (CL-8).
 * Invariants: a change names the ended connections that it speaks for, and the store applies it only where
 * one of them still owns the agent (X6), so an event that comes late, twice or out of order changes nothing;
 * a change that the store could not take is made again as long as it still holds. The core knows no clock
 * and no store: `runtime.ts` performs what it returns.
 */
import { assert } from "@holdfast/protocol";

/**
 * A return sooner than this shows as nothing at all. A socket that is replaced at once (a network change, a
 * proxy's restart) is back within this; a longer loss is told before a person could wonder (CONTROL.md:
 * `reconnecting` at once, not a flicker).
 */
export const reconnectingAfterMs = 300;
export const offlineAfterMs = 15_000;
/** When a change is made again that the store could not take. */
export const storeRetryMs = 5_000;
/** Ended connections that a change can speak for. */
const endedMax = 20;

export interface AgentKey {
  readonly workspace: string;
  readonly id: string;
}

/** Applied only where the agent's row names one of `from` as its connection. */
export interface PresenceChange extends AgentKey {
  readonly from: readonly string[];
  /** `adopted`: another connection of the agent, `by`, lives on and owns the status from now. */
  readonly to: "reconnecting" | "offline" | "adopted";
  readonly by?: string;
  /** They are of a dead node: nothing is applied where that has a row again, and so its agents. */
  readonly isOrphan?: boolean;
}

export interface Presence {
  connected(agent: AgentKey, connection: string): void;
  disconnected(agent: AgentKey, connection: string, polite: boolean, at: number): void;
  /**
   * Agents that the store shows as there, but that no living node holds: away since `at`, unless they return (F58), or
   * `areOrphans` and their node takes them back.
   */
  restored(agents: readonly (AgentKey & { readonly connection: string })[], at: number, areOrphans: boolean): void;
  /** What is due by `at`, to be applied in order. */
  due(at: number): PresenceChange[];
  /** The store did not take this change. */
  failed(change: PresenceChange, at: number): void;
  /** Agents with a living connection here, each with its newest. */
  living(): readonly (AgentKey & { readonly connection: string })[];
  /** When {@link Presence.due} is to be asked again; undefined: not before something happens. */
  nextAt(): number | undefined;
}

interface Entry {
  readonly agent: AgentKey;
  /** Living connections, in order of coming. */
  live: string[];
  /** Ended ones that may still own the agent's row. */
  ended: string[];
  endedAt: number;
  isOrphan: boolean;
  due: { readonly at: number; readonly to: PresenceChange["to"] } | undefined;
}

/** Times are monotonic ms. */
export function createPresence(): Presence {
  const entries = new Map<string, Entry>();
  /** Not after the earliest due of all: exact after a scan, early after a due was taken back. */
  let earliest: number | undefined;

  const plan = (entry: Entry, at: number, to: PresenceChange["to"]): void => {
    entry.due = { at, to };
    if (earliest === undefined || at < earliest) earliest = at;
  };
  const entryOf = (agent: AgentKey): Entry => {
    const known = entries.get(keyOf(agent));
    if (known !== undefined) return known;
    const entry: Entry = {
      agent: { workspace: agent.workspace, id: agent.id },
      live: [],
      ended: [],
      endedAt: 0,
      isOrphan: false,
      due: undefined,
    };
    entries.set(keyOf(agent), entry);
    return entry;
  };

  return {
    connected(agent, connection) {
      const entry = entryOf(agent);
      entry.live = [...entry.live.filter((one) => one !== connection), connection];
      entry.ended = [];
      entry.due = undefined;
    },
    disconnected(agent, connection, polite, at) {
      const entry = entryOf(agent);
      entry.live = entry.live.filter((one) => one !== connection);
      entry.ended = [...entry.ended.filter((one) => one !== connection), connection].slice(-endedMax);
      entry.endedAt = at;
      entry.isOrphan = false;
      if (entry.live.length > 0) plan(entry, at, "adopted");
      else if (polite) plan(entry, at, "offline");
      else plan(entry, at + reconnectingAfterMs, "reconnecting");
    },
    restored(agents, at, areOrphans) {
      for (const agent of agents) {
        const entry = entryOf(agent);
        if (entry.live.length > 0) continue;
        entry.ended = [agent.connection];
        entry.endedAt = at;
        entry.isOrphan = areOrphans;
        plan(entry, at, "reconnecting");
      }
    },
    due(at) {
      const changes: PresenceChange[] = [];
      earliest = undefined;
      for (const entry of entries.values()) {
        if (entry.due !== undefined && entry.due.at <= at) changes.push(take(entry));
        if (entry.due !== undefined) plan(entry, entry.due.at, entry.due.to);
        else if (entry.live.length === 0) entries.delete(keyOf(entry.agent));
      }
      return changes;
    },
    failed(change, at) {
      const known = entries.get(keyOf(change));
      // What came meanwhile speaks for itself: a newer connection, or a newer end with a change of its own.
      if (known !== undefined && known.ended.at(-1) !== change.from.at(-1)) return;
      const entry = entryOf(change);
      if (known === undefined) entry.endedAt = at - offlineAfterMs;
      entry.ended = [...change.from];
      entry.isOrphan = change.isOrphan === true;
      plan(entry, at + storeRetryMs, retried(change.to, entry, at));
    },
    living: () =>
      [...entries.values()].flatMap(({ agent, live }) => {
        const connection = live.at(-1);
        return connection === undefined ? [] : [{ ...agent, connection }];
      }),
    nextAt: () => earliest,
  };
}

function keyOf(agent: AgentKey): string {
  return `${agent.workspace}\n${agent.id}`;
}

/** The change that is due, and what comes after it. */
function take(entry: Entry): PresenceChange {
  const { agent, due, ended, live, endedAt, isOrphan } = entry;
  assert(due !== undefined, `nothing is due of agent ${agent.id}`);
  entry.due = due.to === "reconnecting" ? { at: endedAt + offlineAfterMs, to: "offline" } : undefined;
  const by = due.to === "adopted" ? live.at(-1) : undefined;
  return { ...agent, from: ended, to: due.to, ...(by === undefined ? {} : { by }), ...(isOrphan ? { isOrphan } : {}) };
}

/** A loss that has lasted is told as what it is by then. */
function retried(to: PresenceChange["to"], entry: Entry, at: number): PresenceChange["to"] {
  if (to === "adopted") return to;
  return at + storeRetryMs >= entry.endedAt + offlineAfterMs ? "offline" : to;
}
