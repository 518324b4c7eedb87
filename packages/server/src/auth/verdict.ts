/**
 * What the gateway asks of sign-in, and what it gets: a credential in, a verdict out.
 *
 * Life cycle: the upgrade reads the ambient credential (the cookie) and the explicit ones (header,
 * subprotocol), `hello` may add another; {@link Authenticator.verify} is asked once per opening and once
 * per `auth`. Invariant: a verifier that cannot judge says `unavailable`, never `refused` (AU-4).
 */
import type { Principal } from "../plugin.ts";

export interface Credentials {
  /** Explicit: `Authorization: Bearer`, `bearer.<t>` or `hello.token`; at most one distinct value (AU-1). */
  readonly token?: string;
  /** Ambient: the session cookie's value; counts only without an explicit one. */
  readonly cookie?: string;
  /** The development cookie's random id, where present (AU-6). */
  readonly browser?: string;
  /** The `Cookie` header as it came, for an app with its own sign-in; only where cookies count. */
  readonly cookies?: string;
  /** `hello.instance`, for a development user without any credential (AU-6). */
  readonly instance: string;
}

export type Verdict =
  | {
      readonly kind: "accepted";
      readonly principal: Principal;
      readonly expiresAt?: number;
      readonly cookie: boolean;
      /** Names the session or key, for {@link Authenticator.onEnded}; absent where there is none. */
      readonly credential?: string;
    }
  /** 4401: not, no longer, or not yet valid. */
  | { readonly kind: "refused"; readonly reason: string }
  /** 4403: valid, but may not (revoked). */
  | { readonly kind: "forbidden"; readonly reason: string }
  /** 4503: could not be judged now. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly retryAfter: number };

/** What a credential stands by: a session's, a key's, or a person's of another issuer. */
export type CredentialKind = "session" | "key" | "user";

/** The name of a credential, as verdicts and notices have it. */
export function credentialName(kind: CredentialKind, id: string): string {
  return `${kind} ${id}`;
}

/** AU-6: who a connection without a credential is in development mode, by its instance or browser. */
export function developmentUserId(id: string): string {
  return `dev-temp-${id}`;
}

export interface Authenticator {
  verify(credentials: Credentials): Promise<Verdict>;
  /**
   * Who is said to vouch for a credential, before anything is verified: for whoever counts verdicts. Of a list as long
   * as the configuration, whatever the credential says of itself (X14).
   */
  issuerOf?(credentials: Credentials): string;
  /** AU-9: calls back with the name of each session or key that ends here before its time. */
  onEnded(listener: (credential: string) => void): void;
  /** AU-9: a session, key or person has ended on another node: from now on refused here, whatever was known of it. */
  ended?(credential: string): void;
  /** AU-9: somebody's role has changed on some node: what was known of roles is asked for anew. */
  rightsChanged?(): void;
  /** Another node has made a key that will sign sessions and API keys. */
  signingKeysChanged?(): void;
  /**
   * A secret of the deployment for one purpose, the same on all its nodes. Where it is absent, what is signed with
   * such a secret (promised slots, AD-3) holds on this node only.
   */
  deriveKey?(purpose: string): Uint8Array;
}
