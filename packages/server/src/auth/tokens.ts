/**
 * Session cookies and API keys as signed tokens: compact JWS, Ed25519, of the built-in issuer (AU-3, AU-4).
 *
 * Judging one needs no store: the signature, the issuer and the end are in it. Invariants: one algorithm;
 * the key is chosen by us, so `jku`, `jwk`, `x5u` and `x5c` in a header are never looked at and `kid` is only
 * compared (T2); a session is no API key and an API key no session, whoever signed it; a reason never holds
 * a part of the token. It deliberately knows nothing of revocation.
 */
import { createPrivateKey, hkdfSync } from "node:crypto";
import type { Clock, Random } from "@holdfast/protocol";
import { calculateJwkThumbprint, decodeProtectedHeader, errors, importJWK, type JWK, jwtVerify, SignJWT } from "jose";
import { z } from "zod";

const issuer = "holdfast";
export const apiKeyPrefix = "hfk_";
const algorithm = "EdDSA";
/** AU-4: how far two clocks may differ. */
export const toleranceMs = 30_000;
/** As the protocol's schema of a token. */
export const tokenCharsMax = 16_384;
const derivedKeyBytes = 32;
/** RFC 8410: what precedes the 32 secret bytes of an Ed25519 key in PKCS #8. */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

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
  | { readonly kind: "refused"; readonly reason: string };

export interface Tokens {
  sign(claims: Claims): Promise<string>;
  /** Judges a token without its prefix; `kind` is what it must be. */
  read(token: string, kind: Claims["kind"]): Promise<Reading>;
  /** A secret of this deployment for another purpose: the same on all its nodes, and of no use to sign tokens. */
  deriveKey(purpose: string): Uint8Array;
}

/** A new private key and its id (RFC 7638), from 32 random bytes. */
export async function makeSigningKey(random: Pick<Random, "bytes">): Promise<{ id: string; jwk: string }> {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, random.bytes(32)]), format: "der", type: "pkcs8" });
  const jwk = key.export({ format: "jwk" }) as JWK;
  return { id: await calculateJwkThumbprint(jwk), jwk: JSON.stringify(jwk) };
}

export async function createTokens(
  signingKey: { id: string; jwk: string },
  clock: Pick<Clock, "now">,
): Promise<Tokens> {
  const { d: secret, ...publicPart } = JSON.parse(signingKey.jwk) as JWK;
  if (secret === undefined) throw new TypeError(`the signing key ${signingKey.id} has no private part`);
  const privateKey = await importJWK({ ...publicPart, d: secret }, algorithm);
  const publicKey = await importJWK(publicPart, algorithm);

  return {
    sign: (signed) =>
      new SignJWT(signed)
        .setProtectedHeader({ alg: algorithm, kid: signingKey.id })
        .setIssuer(issuer)
        .setIssuedAt(Math.floor(clock.now() / 1000))
        .sign(privateKey),

    deriveKey: (purpose) =>
      new Uint8Array(hkdfSync("sha256", Buffer.from(secret, "base64url"), "", purpose, derivedKeyBytes)),

    async read(token, kind) {
      if (token.length > tokenCharsMax) return refused(`it is longer than ${tokenCharsMax} characters`);
      const keyId = keyIdOf(token);
      if (keyId !== signingKey.id)
        return refused(keyId === undefined ? unreadable : "it was signed by another deployment");
      try {
        const { payload } = await jwtVerify(token, publicKey, {
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
