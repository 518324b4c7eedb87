/**
 * People of a Supabase project as this server signs them in: what the project grants becomes a session of ours.
 *
 * Life cycle of a sign-in: password, or link and code → the project's token is judged like any issuer's → a session that
 * lasts as long as the token → renewed by the project's refresh token, which only the browser keeps, sealed. So whom the
 * project has put out is out here when the token ends. Invariant: no token of the project reaches a script (O8).
 */
import { createHash } from "node:crypto";
import type { Clock, Random, User } from "@holdfast/protocol";
import { accountOf } from "../accounts.ts";
import type { Identity } from "../issuers/issuedTokens.ts";
import type { Ticket } from "../oidc/ticket.ts";
import type { Auth } from "../service.ts";
import type { Credentials } from "../verdict.ts";
import { grantKeyPurpose, openGrant, sealGrant } from "./grantCookie.ts";
import type { GrantOutcome, SupabaseProject, Unavailable } from "./project.ts";

/** As long as the project's own links last by default. */
export const linkTicketLifeMs = 3_600_000;
/** Of this name in tickets and addresses. */
export const supabaseId = "supabase";
const verifierBytes = 32;
const sessionLifeMsMin = 60_000;

export type ProjectSignedIn = { readonly kind: "signedIn"; readonly user: User; readonly cookie: string };

export type ProjectEnded =
  | ProjectSignedIn
  /** `forbidden`: the project knows them, this server lets them not in. */
  | { readonly kind: "refused"; readonly why: "credentials" | "unconfirmed" | "forbidden" }
  | Unavailable;

/** Hears what the browser is to keep from now on. */
export type Keep = (sealedGrant: string) => void;

export interface ProjectSignIn {
  withPassword(email: string, password: string, keep: Keep): Promise<ProjectEnded>;
  /** The ticket is this browser's; the link is worth nothing without it. */
  sendLink(
    email: string,
    callback: string,
    returnTo: string,
  ): Promise<{ readonly kind: "sent"; readonly ticket: Ticket } | Unavailable>;
  withCode(code: string, ticket: Ticket, keep: Keep): Promise<ProjectEnded>;
  /** `none`: this browser keeps nothing of the project's. */
  renew(sealed: string | undefined, credentials: Credentials, keep: Keep): Promise<ProjectEnded | { kind: "none" }>;
}

export function createProjectSignIn(
  project: SupabaseProject,
  { auth, clock, random }: { readonly auth: Auth; readonly clock: Clock; readonly random: Random },
): ProjectSignIn {
  const key = auth.deriveKey?.(grantKeyPurpose);
  if (key === undefined) throw new TypeError("sign-in at a Supabase project needs a secret of the deployment");

  const begin = async (
    outcome: GrantOutcome,
    keep: Keep,
    proceed: (identity: Identity, lifeMs: number) => Promise<ProjectEnded>,
  ): Promise<ProjectEnded> => {
    if (outcome.kind !== "granted") return outcome;
    const reading = await auth.readIssued(outcome.grant.accessToken);
    if (reading.kind === "unavailable") return { kind: "unavailable", retryAfter: reading.retryAfter, why: "away" };
    if (reading.kind === "refused") return { kind: "refused", why: "forbidden" };
    // Kept before the store is asked: a refresh token works once, and the store may be away.
    keep(sealGrant(outcome.grant.refreshToken, key, random));
    const { identity } = reading;
    return proceed(identity, Math.max(sessionLifeMsMin, identity.expiresAt - clock.now()));
  };

  const signIn = async (identity: Identity, lifeMs: number): Promise<ProjectEnded> => {
    const begun = await auth.signIn(identity, lifeMs);
    if (begun.kind === "refused") return { kind: "refused", why: "forbidden" };
    return { kind: "signedIn", user: begun.user, cookie: begun.cookie };
  };

  return {
    withPassword: async (email, password, keep) => begin(await project.withPassword(email, password), keep, signIn),
    withCode: async (code, { verifier }, keep) => begin(await project.withCode(code, verifier), keep, signIn),

    async sendLink(email, callback, returnTo) {
      const verifier = Buffer.from(random.bytes(verifierBytes)).toString("base64url");
      const challenge = createHash("sha256").update(verifier).digest("base64url");
      const sent = await project.sendLink(email, challenge, callback);
      if (sent.kind === "unavailable") return sent;
      const expiresAt = clock.now() + linkTicketLifeMs;
      return { kind: "sent", ticket: { provider: supabaseId, state: "", nonce: "", verifier, returnTo, expiresAt } };
    },

    async renew(sealed, credentials, keep) {
      const refreshToken = openGrant(sealed, key);
      if (refreshToken === undefined) return { kind: "none" };
      return begin(await project.refresh(refreshToken), keep, async (identity, lifeMs) => {
        const extended = await auth.refresh(credentials, lifeMs);
        const isSame = extended.kind === "extended" && extended.user.id === accountOf(identity).id;
        if (!isSame || extended.cookie === undefined) return signIn(identity, lifeMs);
        return { kind: "signedIn", user: extended.user, cookie: extended.cookie };
      });
    },
  };
}
