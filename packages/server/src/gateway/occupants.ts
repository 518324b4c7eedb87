/**
 * Who holds open connections on this node: by principal, for the limit of AD-5 and the fencing of OP-7; by
 * credential, whose end is theirs (AU-9).
 *
 * Life cycle of an occupant: it joins at `welcome` and leaves once, whichever way its connection ends.
 * Invariants: at most `connectionsMax` a principal; an agent's older process hears
 * nothing after the commit that fenced it.
 */
import { closeCodes, limits } from "@holdfast/protocol";

/** What ended lately is remembered for verdicts that were under way; the oldest gives way. */
const endedMax = 1_000;

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
  /** OP-7: older processes of an agent are fenced, older sockets of the same process are dead (CL-6). */
  fence(workspace: string, agent: string, generation: number, newer: string): void;
  /** AU-9: closes whoever is here by this credential. */
  end(credential: string): void;
  /** Whether it ended while a verdict on it was under way. */
  hasEnded(credential: string | undefined): boolean;
}

/** One text for a principal of a workspace. */
export function principalKey(workspace: string, principal: string): string {
  return `${workspace}\n${principal}`;
}

export const endedReason = "signed out or revoked";

/** @param connectionsMax of one principal */
export function createOccupants(connectionsMax: number = limits.connectionsPerPrincipalMax): Occupants {
  const occupants = new Map<string, Set<Occupant>>();
  const ended = new Set<string>();
  const of = (workspace: string, principal: string): ReadonlySet<Occupant> =>
    occupants.get(principalKey(workspace, principal)) ?? new Set();
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
    fence(workspace, agent, generation, newer) {
      for (const occupant of [...of(workspace, agent)]) {
        if (occupant.id === newer) continue;
        if ((occupant.generation ?? 0) < generation) occupant.close(closeCodes.fenced, "fenced");
        else occupant.close(closeCodes.silent, "replaced by a newer connection of this process");
      }
    },
    end(credential) {
      ended.add(credential);
      const [oldest] = ended;
      if (ended.size > endedMax && oldest !== undefined) ended.delete(oldest);
      const theirs = [...occupants.values()].flatMap((found) =>
        [...found].filter((one) => one.credential === credential),
      );
      for (const occupant of theirs) occupant.close(closeCodes.forbidden, endedReason);
    },
    hasEnded: (credential) => credential !== undefined && ended.has(credential),
  };
}
