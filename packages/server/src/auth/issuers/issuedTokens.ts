/**
 * Tokens of other issuers: Supabase, Auth0, Keycloak, whoever is configured (AU-3, AU-4).
 *
 * The issuer is chosen by the token's unverified `iss` and `alg`, before anything is verified; then its key, its
 * algorithm, its audience and its times decide. Invariants: what a header says of keys (`jku`, `jwk`, `x5u`, `x5c`) is
 * never looked at; a provider that does not answer refuses nobody; a reason holds no part of the token. It
 * deliberately keeps no verdict: a cache of them would have to tell people apart (T5).
 */
import { type Clock, limits } from "@holdfast/protocol";
import {
  type CryptoKey,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from "jose";
import type { Log } from "../../observe/log.ts";
import { tokenCharsMax, toleranceMs } from "../tokens.ts";
import type { Issuer, PersonRole } from "./issuer.ts";
import { createKeySet, type KeySet } from "./keySet.ts";
import type { AskProvider } from "./provider.ts";

const subjectCharsMax = 255;
const workspaceByDefault = "default";

/** Whom a token names. */
export interface Identity {
  readonly issuer: string;
  /** The issuer's own name of the person: permanent, told to nobody. */
  readonly subject: string;
  readonly name: string;
  readonly workspace: string;
  /** Of who comes for the first time. */
  readonly role: PersonRole;
  /** ms since 1970. */
  readonly expiresAt: number;
}

export type IssuedReading =
  | { readonly kind: "valid"; readonly identity: Identity; readonly claims: JWTPayload }
  | { readonly kind: "refused"; readonly reason: string }
  /** `retryAfter` in ms. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly retryAfter: number };

export interface IssuedTokens {
  read(token: string): Promise<IssuedReading>;
  /** The configured issuer that a token names, unverified; undefined for every other. */
  issuerOf(token: string): string | undefined;
}

export interface IssuedTokensParts {
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly ask: AskProvider;
  readonly clock: Clock;
  readonly log: Log;
}

export function createIssuedTokens({ issuers, ask, clock, log }: IssuedTokensParts): IssuedTokens {
  const keySets = new Map<string, KeySet>();
  for (const { issuer, jwksUrl } of issuers.values()) {
    if (jwksUrl === undefined) continue;
    keySets.set(issuer, createKeySet({ issuer, urlOf: async () => jwksUrl, ask, clock, log }));
  }
  return {
    issuerOf(token) {
      const stated = statedBy(token)?.issuer;
      return stated !== undefined && issuers.has(stated) ? stated : undefined;
    },
    async read(token) {
      const stated = statedBy(token);
      if (stated === undefined) return refused(unknownIssuer);
      const issuer = issuers.get(stated.issuer);
      if (issuer === undefined) return refused(unknownIssuer);
      return verifyToken(token, stated.header, issuer, keySets.get(stated.issuer), clock);
    },
  };
}

/** @param header the token's own, not verified */
export async function verifyToken(
  token: string,
  header: ProtectedHeaderParameters,
  issuer: Issuer,
  keySet: KeySet | undefined,
  clock: Pick<Clock, "now">,
): Promise<IssuedReading> {
  const { alg } = header;
  if (alg === undefined || !issuer.algorithms.has(alg))
    return refused("The token is signed in a way that its issuer is not configured for.");
  const found = await keyOf(header, issuer, keySet);
  if (found === undefined) return refused("The token names a key that its issuer does not have.");
  if ("retryAfter" in found)
    return { kind: "unavailable", reason: "The issuer's keys cannot be had now.", retryAfter: found.retryAfter };
  try {
    const { payload } = await jwtVerify(token, found.key, {
      algorithms: [alg],
      issuer: issuer.issuer,
      ...(issuer.audience === undefined ? {} : { audience: issuer.audience }),
      requiredClaims: ["iss", "sub", "exp"],
      clockTolerance: toleranceMs / 1000,
      currentDate: new Date(clock.now()),
    });
    return readClaims(payload, issuer, clock.now());
  } catch (error) {
    // In our words: the library's message may repeat what it was given. Anything else is our fault and rises.
    if (!(error instanceof errors.JOSEError)) throw error;
    return refused(reasonOf(error));
  }
}

async function keyOf(
  header: ProtectedHeaderParameters,
  { secret }: Issuer,
  keySet: KeySet | undefined,
): Promise<{ readonly key: CryptoKey | Uint8Array } | { readonly retryAfter: number } | undefined> {
  if (header.alg === "HS256") return secret === undefined ? undefined : { key: secret };
  const found = await keySet?.keyFor(header);
  return found === undefined || found.kind === "none" ? undefined : found;
}

function readClaims(claims: JWTPayload, { issuer, role, workspaceClaim }: Issuer, nowMs: number): IssuedReading {
  const { sub: subject, exp = 0, iat } = claims;
  if (typeof subject !== "string" || subject === "" || subject.length > subjectCharsMax)
    return refused(`The token's sub is no text of 1 to ${subjectCharsMax} characters.`);
  if (iat !== undefined && iat * 1000 > nowMs + toleranceMs)
    return refused("The token was issued in the future; set the clocks.");
  // Supabase: who took no name can be anybody, as often as they like.
  if (claims["is_anonymous"] === true) return refused("The token is of an anonymous user; sign in with a name.");
  const workspace = workspaceClaim === undefined ? workspaceByDefault : claims[workspaceClaim];
  if (typeof workspace !== "string" || workspace === "" || workspace.length > limits.nameLengthMax)
    return refused(`The token's ${workspaceClaim} names no workspace.`);
  const identity = { issuer, subject, name: nameIn(claims, subject), workspace, role, expiresAt: exp * 1000 };
  return { kind: "valid", identity, claims };
}

/** The first that a provider tells; of a person without any the subject. */
function nameIn(claims: JWTPayload, subject: string): string {
  const metadata = claims["user_metadata"];
  const more = typeof metadata === "object" && metadata !== null ? (metadata as Readonly<Record<string, unknown>>) : {};
  const told = [claims["name"], more["full_name"], more["name"], claims["preferred_username"], claims["email"]];
  const name = told.find((one) => typeof one === "string" && one.trim() !== "");
  return (typeof name === "string" ? name.trim() : subject).slice(0, limits.nameLengthMax);
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return "The token has expired; sign in again.";
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === "nbf"
      ? "The token is not valid yet; set the clocks."
      : `The token does not hold: its ${namedClaim(error.claim)} is missing or another.`;
  return "The token does not hold: it is not one of its issuer's.";
}

function namedClaim(claim: string): string {
  return ["iss", "sub", "exp", "aud", "iat"].includes(claim) ? claim : "claim";
}

/** What a token says of itself, without any proof. */
export function statedBy(
  token: string,
): { readonly header: ProtectedHeaderParameters; readonly issuer: string } | undefined {
  if (token.length > tokenCharsMax) return undefined;
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === "string" ? { header: decodeProtectedHeader(token), issuer: iss } : undefined;
  } catch {
    return undefined;
  }
}

const unknownIssuer = "The credential is of no issuer that this server knows.";

function refused(reason: string): IssuedReading {
  return { kind: "refused", reason };
}
