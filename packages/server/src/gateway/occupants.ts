/**
 * Who holds open connections on this node: by principal, for the limit of AD-5, the fencing of OP-7 and changes of
 * rights; by credential, whose end is theirs (AU-9).
 *
 * Life cycle of an occupant: it joins at `welcome` and leaves once, whichever way its connection ends.
 * Invariants: at most `connectionsMax` a principal; an agent's older process hears nothing after the commit that
 * fenced it, where this node made it, or after its notice; what befalls somebody while the verdict on them is under
 * way befalls them right after it.
 */
import { closeCodes, limits } from "@holdfast/protocol";

/** What befell whom lately is remembered for verdicts that were under way; of each kind the oldest gives way. */
const rememberedMax = 1_000;

export interface Occupant {
  readonly id: string;
  /** The generation of an agent's process; undefined for people. */
  readonly generation: number | undefined;
  /** Of the newest verdict on it. */
  readonly credential: string | undefined;
  /** Monotonic ms of its last inbound frame. */
  readonly heardAt: number;
  close(code: number, reason: string): void;
}

export interface Occupants {
  join(workspace: string, principal: string, occupant: Occupant): void;
  leave(workspace: string, principal: string, occupant: Occupant): void;
  /** How many connections the principal holds. */
  count(workspace: string, principal: string): number;
  /**
   * Whether one more may come. At the limit one that was silent for over `silentMs` gives way (4408); if there
   * is none the newcomer must wait.
   */
  admits(workspace: string, principal: string, now: number, silentMs: number): boolean;
  /**
   * OP-7: older processes of an agent are fenced, at `at` (monotonic ms). `newer`: the connection of the newest, where
   * it is here; then older sockets of the same process are dead (CL-6).
   */
  fence(workspace: string, agent: string, generation: number, at: number, newer?: string): void;
  /** AU-9: closes whoever is here by this credential. */
  end(credential: string): void;
  /** AU-9: the principal's role has changed at `at` (monotonic ms): they come back, and are judged anew. */
  changeRights(workspace: string, principal: string, at: number): void;
  /** Whether it ended while a verdict on it was under way. */
  hasEnded(credential: string | undefined): boolean;
  /** Why who was judged since `askedAt` (monotonic ms) may not stay after all; undefined: nothing has changed. */
  objection(judged: JudgedOccupant, askedAt: number): Objection | undefined;
}

/** Of a verdict that is not an occupant yet. */
export interface JudgedOccupant {
  readonly workspace: string;
  readonly principal: string;
  readonly credential: string | undefined;
  readonly generation: number | undefined;
}

export interface Objection {
  readonly code: number;
  readonly reason: string;
}

/** One text for a principal of a workspace. */
export function principalKey(workspace: string, principal: string): string {
  return `${workspace}\n${principal}`;
}

export const endedReason = "signed out or revoked";
const rightsChangedReason = "rights changed";
const fencedReason = "fenced";

/** @param connectionsMax of one principal */
export function createOccupants(connectionsMax: number = limits.connectionsPerPrincipalMax): Occupants {
  const occupants = new Map<string, Set<Occupant>>();
  const ended = new Map<string, true>();
  /** Agent → its generation, and when it was heard of, monotonic ms: a store that was rolled back may count anew. */
  const fenced = new Map<string, { readonly generation: number; readonly at: number }>();
  /** Principal → when, monotonic ms. */
  const changed = new Map<string, number>();
  const of = (workspace: string, principal: string): ReadonlySet<Occupant> =>
    occupants.get(principalKey(workspace, principal)) ?? new Set();
  const hasEnded = (credential: string | undefined): boolean => credential !== undefined && ended.has(credential);
  return {
    join(workspace, principal, occupant) {
      const found = occupants.get(principalKey(workspace, principal)) ?? new Set();
      found.add(occupant);
      occupants.set(principalKey(workspace, principal), found);
    },
    leave(workspace, principal, occupant) {
      const found = occupants.get(principalKey(workspace, principal));
      found?.delete(occupant);
      if (found?.size === 0) occupants.delete(principalKey(workspace, principal));
    },
    count: (workspace, principal) => of(workspace, principal).size,
    admits(workspace, principal, now, silentMs) {
      const found = of(workspace, principal);
      if (found.size < connectionsMax) return true;
      const silent = [...found].find((occupant) => now - occupant.heardAt > silentMs);
      silent?.close(closeCodes.silent, "gave way to a newer connection");
      return silent !== undefined;
    },
    fence(workspace, agent, generation, at, newer) {
      remember(fenced, principalKey(workspace, agent), { generation, at });
      for (const occupant of [...of(workspace, agent)]) {
        if (occupant.id === newer) continue;
        if ((occupant.generation ?? 0) < generation) occupant.close(closeCodes.fenced, fencedReason);
        else if (newer !== undefined)
          occupant.close(closeCodes.silent, "replaced by a newer connection of this process");
      }
    },
    end(credential) {
      remember(ended, credential, true);
      const theirs = [...occupants.values()].flatMap((found) =>
        [...found].filter((one) => one.credential === credential),
      );
      for (const occupant of theirs) occupant.close(closeCodes.forbidden, endedReason);
    },
    changeRights(workspace, principal, at) {
      remember(changed, principalKey(workspace, principal), at);
      for (const occupant of [...of(workspace, principal)]) occupant.close(closeCodes.restart, rightsChangedReason);
    },
    hasEnded,
    objection({ workspace, principal, credential, generation }, askedAt) {
      const key = principalKey(workspace, principal);
      if (hasEnded(credential)) return { code: closeCodes.forbidden, reason: endedReason };
      const newest = fenced.get(key);
      if (newest !== undefined && newest.at >= askedAt && (generation ?? newest.generation) < newest.generation)
        return { code: closeCodes.fenced, reason: fencedReason };
      if ((changed.get(key) ?? Number.NEGATIVE_INFINITY) >= askedAt)
        return { code: closeCodes.restart, reason: rightsChangedReason };
      return undefined;
    },
  };
}

function remember<Value>(those: Map<string, Value>, key: string, value: Value): void {
  those.delete(key);
  those.set(key, value);
  const [oldest] = those.keys();
  if (those.size > rememberedMax && oldest !== undefined) those.delete(oldest);
}
