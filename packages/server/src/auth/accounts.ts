/**
 * From whom a token names to who acts here: the person's id, name and role (CONTROL's users).
 *
 * The id follows from issuer and subject, so a verdict needs no store (OP-4); the store is asked for the role, and
 * makes the person at the first sign-in. Invariants: two issuers' people are never one, nor two workspaces'; a
 * store that does not answer refuses nobody, who then has the role last known, else that of who comes first.
 */
import { createHash } from "node:crypto";
import type { Principal } from "../plugin.ts";
import type { NewAccount } from "./accountTasks.ts";
import type { Identity } from "./issuers/issuedTokens.ts";
import type { Found, Standings } from "./standings.ts";
import { credentialName, type Verdict } from "./verdict.ts";

/** Of SHA-256, in base64url: 132 bits. */
const idCharsOfHash = 22;

export interface Accounts {
  /** Who it is now; forbidden where the person was removed, or there is no room. */
  verdictOn(identity: Identity): Promise<Verdict>;
}

/** @param ask see `auth.account`. Rejects where the store does not answer */
export function createAccounts(standings: Standings, ask: (account: NewAccount) => Promise<Found | null>): Accounts {
  return {
    async verdictOn(identity) {
      const account = accountOf(identity);
      const standing = await standings.ofUser(account.id, () => ask(account));
      if (standing.kind === "ended")
        return {
          kind: "forbidden",
          reason: "There is no account here for this person, or none any more; ask an admin.",
        };
      const role = standing.kind === "live" ? standing.role : account.role;
      const { id, name, workspace } = account;
      const principal: Principal = { kind: "person", id, name, role, workspace, temporary: false };
      return {
        kind: "accepted",
        principal,
        expiresAt: identity.expiresAt,
        cookie: false,
        credential: credentialName("user", id),
      };
    },
  };
}

/** The row of who signs in. */
export function accountOf({ issuer, subject, name, workspace, role }: Identity): NewAccount {
  const hash = createHash("sha256")
    .update(JSON.stringify([issuer, subject, workspace]))
    .digest("base64url");
  return { id: `user-${hash.slice(0, idCharsOfHash)}`, name, role, workspace, issuer, subject };
}
