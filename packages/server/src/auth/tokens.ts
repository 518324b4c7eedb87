/**
 * Session cookies and API keys as signed tokens: compact JWS, Ed25519, of the built-in issuer (AU-3, AU-4).
 *
 * Judging one needs no store: the signature, the issuer and the end are in it. Invariants: one algorithm;
 * the key is one of ours, so `jku`, `jwk`, `x5u` and `x5c` in a header are never looked at and `kid` is only
 * compared (T2); a session is no API key and an API key no session, whoever signed it; a reason never holds
 * a part of the token. It deliberately knows nothing of revocation.
 */
import type { Clock } from "@holdfast/protocol";
import { decodeProtectedHeader, errors, jwtVerify } from "jose";
import { z } from "zod";
import { algorithm, type Signer, signedBy } from "./signingKey.ts";
import type { SigningKeys } from "./signingKeys.ts";

const issuer = "holdfast";
export const apiKeyPrefix = "hfk_";
/** AU-4: how far two clocks may differ. */
export const toleranceMs = 30_000;
/** As the protocol's schema of a token. */
export const tokenCharsMax = 16_384;

const text = z.string().min(1).max(200);
const claims = z.object({
  kind: z.enum(["session", "key"]),
  jti: text,
  sub: text,
  exp: z.int().positive(),
  name: z.string().max(200),
  role: z.enum(["viewer", "operator", "admin", "agent"]),
  workspace: text,
  enrol: z.boolean(),
});

/** What a token says: `sub` acts, `jti` is the session's or key's id, `exp` in seconds since 1970. */
export type Claims = z.infer<typeof claims>;

export type Reading =
  | { readonly kind: "valid"; readonly claims: Claims }
  /** Ours, but for its end: a session may have been extended since it was signed (AU-7). */
  | { readonly kind: "expired"; readonly claims: Claims }
  | { readonly kind: "refused"; readonly reason: string }
  /** Whether the key that it names is ours cannot be known now. */
  | { readonly kind: "unavailable" };

export interface Tokens {
  sign(claims: Claims): string;
  /** Judges a token without its prefix; `kind` is what it must be. */
  read(token: string, kind: Claims["kind"]): Promise<Reading>;
}

/** For what is signed in a transaction, too. */
export function signToken(key: Signer, signed: Claims, nowMs: number): string {
  return signedBy(key, { ...signed, iss: issuer, iat: Math.floor(nowMs / 1_000) });
}

export function createTokens(keys: Pick<SigningKeys, "current" | "find">, clock: Pick<Clock, "now">): Tokens {
  return {
    sign: (signed) => signToken(keys.current(), signed, clock.now()),

    async read(token, kind) {
      if (token.length > tokenCharsMax) return refused(`it is longer than ${tokenCharsMax} characters`);
      const keyId = keyIdOf(token);
      if (keyId === undefined) return refused(unreadable);
      const key = await keys.find(keyId);
      if (key === "unknown") return { kind: "unavailable" };
      if (key === "none") return refused("it was signed by another deployment");
      try {
        const { payload } = await jwtVerify(token, key.publicKey, {
          algorithms: [algorithm],
          issuer,
          requiredClaims: ["iss", "sub", "exp"],
          clockTolerance: toleranceMs / 1000,
          currentDate: new Date(clock.now()),
        });
        if (payload.iat !== undefined && payload.iat * 1000 > clock.now() + toleranceMs)
          return refused("it was made in the future");
        return judgeClaims(payload, kind, "valid");
      } catch (error) {
        // In our words: the library's message may repeat what it was given. Anything else is our fault and rises.
        if (!(error instanceof errors.JOSEError)) throw error;
        // Its end is judged last: signature, algorithm and issuer have held.
        if (error instanceof errors.JWTExpired && error.claim === "exp")
          return judgeClaims(error.payload, kind, "expired");
        return refused(unreadable);
      }
    },
  };
}

function judgeClaims(payload: unknown, kind: Claims["kind"], held: "valid" | "expired"): Reading {
  const read = claims.safeParse(payload);
  if (!read.success || read.data.kind !== kind)
    return refused(kind === "key" ? "it is not an API key" : "it is not a session");
  return { kind: held, claims: read.data };
}

function refused(reason: string): Reading {
  return { kind: "refused", reason };
}

const unreadable = "it is not one of this server's";

/** The unverified `kid`: whose signature it claims to carry. */
function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}
