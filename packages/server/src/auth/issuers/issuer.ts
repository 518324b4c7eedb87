/**
 * An issuer whose tokens sign people in, as settings name it: checked once, before anything listens.
 *
 * Which key judges a token follows from its `iss` and `alg` alone (AU-3): HS256 from the shared secret, all else from
 * the key set, so that a public key is never taken for a secret. Invariant: what passes here can be asked safely;
 * its addresses are https, or of this machine.
 */
import type { Role } from "@holdfast/protocol";
import { isLoopback } from "../../loopback.ts";
import { StartError } from "../../startError.ts";

/** RFC 7518, 3.2: a key as long as the hash. */
const secretBytesMin = 32;

const keySetAlgorithms = ["RS256", "PS256", "ES256", "ES384", "EdDSA"] as const;
type KeySetAlgorithm = (typeof keySetAlgorithms)[number];
/** What providers use; the others are asked for by name. */
const algorithmsByDefault: readonly KeySetAlgorithm[] = ["RS256", "ES256", "EdDSA"];

const personRoles = ["viewer", "operator", "admin"] as const;

/** Whom a token may make of a person: an agent's connection has a key of this server. */
export type PersonRole = Exclude<Role, "agent">;

export interface IssuerOptions {
  /** The tokens' `iss`, letter by letter. */
  readonly issuer: string;
  /** Where its key set is (JWKS): https, or http on this machine. This, or `secret`, or both. */
  readonly jwksUrl?: string;
  /** Shared with it, for HS256; 32 bytes or more. */
  readonly secret?: string;
  /** Of the key set's tokens; RS256, ES256 and EdDSA by default. */
  readonly algorithms?: readonly KeySetAlgorithm[];
  /** The tokens' `aud` must have it; without one any audience is taken. */
  readonly audience?: string;
  /** Of who comes for the first time; `viewer` by default. */
  readonly role?: PersonRole;
  /** The claim that names the workspace; by default all are in `default`. */
  readonly workspaceClaim?: string;
}

/** As the rooms work with it. */
export interface Issuer {
  readonly issuer: string;
  readonly jwksUrl: string | undefined;
  readonly secret: Uint8Array | undefined;
  readonly algorithms: ReadonlySet<string>;
  readonly audience: string | undefined;
  readonly role: PersonRole;
  readonly workspaceClaim: string | undefined;
}

/** A Supabase project of either kind: `url` is the project's; `secret` its legacy JWT secret, where it still has one. */
export function supabaseIssuer(project: {
  readonly url: string;
  readonly secret?: string;
  readonly role?: PersonRole;
}): IssuerOptions {
  const { url, secret, role } = project;
  const issuer = `${checkedUrl(url, "supabase.url").href.replace(/\/+$/, "")}/auth/v1`;
  return {
    issuer,
    jwksUrl: `${issuer}/.well-known/jwks.json`,
    audience: "authenticated",
    ...(secret === undefined ? {} : { secret }),
    ...(role === undefined ? {} : { role }),
  };
}

/** All of them, by their `iss`. Throws a `StartError` that names the wrong value. */
export function issuersOf(options: readonly IssuerOptions[]): ReadonlyMap<string, Issuer> {
  const issuers = new Map<string, Issuer>();
  for (const one of options) {
    if (issuers.has(one.issuer)) throw new StartError(`issuers: "${one.issuer}" is named twice; name it once.`);
    issuers.set(one.issuer, issuerOf(one));
  }
  return issuers;
}

function issuerOf(options: IssuerOptions): Issuer {
  const {
    issuer,
    jwksUrl,
    secret,
    algorithms = algorithmsByDefault,
    audience,
    role = "viewer",
    workspaceClaim,
  } = options;
  if (issuer === "") throw new StartError("issuers: issuer is empty; give the tokens' iss, letter by letter.");
  if (jwksUrl === undefined && secret === undefined)
    throw new StartError(`issuers: "${issuer}" has neither jwksUrl nor secret; give one, to check its signatures by.`);
  if (jwksUrl !== undefined) checkedUrl(jwksUrl, `issuers: jwksUrl of "${issuer}"`);
  const key = secret === undefined ? undefined : new TextEncoder().encode(secret);
  if (key !== undefined && key.length < secretBytesMin)
    throw new StartError(
      `issuers: the secret of "${issuer}" has ${key.length} bytes; HS256 needs ${secretBytesMin} or more.`,
    );
  if (!personRoles.includes(role))
    throw new StartError(`issuers: the role of "${issuer}" is "${role}"; roles are ${personRoles.join(", ")}.`);
  const wrong = algorithms.find((name) => !keySetAlgorithms.includes(name));
  if (wrong !== undefined)
    throw new StartError(`issuers: "${issuer}" names ${wrong}; algorithms are ${keySetAlgorithms.join(", ")}.`);
  return {
    issuer,
    jwksUrl,
    secret: key,
    algorithms: new Set([...(jwksUrl === undefined ? [] : algorithms), ...(key === undefined ? [] : ["HS256"])]),
    audience,
    role,
    workspaceClaim,
  };
}

/** An address that may be asked. Throws a `StartError` that names it. */
export function checkedUrl(text: string, field: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isSafe(url) || url.username + url.password + url.hash !== "")
    throw new StartError(`${field} is "${text}"; give an https:// address, or an http:// one of this machine.`);
  return url;
}

/** T3: nobody on the way can change what is answered. */
export function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname.replace(/^\[|\]$/g, "")));
}
