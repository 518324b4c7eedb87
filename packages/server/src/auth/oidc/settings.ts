/**
 * A provider that people sign in with at its own page (OpenID Connect), as settings name it: checked once, at start.
 *
 * Everything else about it is in its discovery document, which is asked for when somebody first signs in, so a provider
 * that is away at the start costs nothing. It deliberately knows no brand: any issuer with discovery is one.
 */
import { StartError } from "../../startError.ts";
import { checkedUrl, type PersonRole } from "../issuers/issuer.ts";

const nameCharsMax = 100;
const scopesByDefault = ["openid", "profile", "email"] as const;

export interface OidcOptions {
  /** In this server's addresses, `/auth/<id>/callback`: small letters, digits and dashes. */
  readonly id: string;
  /** On the button of the sign-in page. */
  readonly name: string;
  /** As in its discovery document, letter by letter: https, or http on this machine. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for a public client, which proves itself by PKCE alone. */
  readonly clientSecret?: string;
  /** `openid`, `profile` and `email` by default. */
  readonly scopes?: readonly string[];
  /** Of who comes for the first time; `viewer` by default. */
  readonly role?: PersonRole;
}

/** As the rooms work with it. */
export interface OidcSettings extends Omit<OidcOptions, "scopes" | "role"> {
  readonly scopes: readonly string[];
  readonly role: PersonRole;
}

/** Where people begin, and where the provider sends them back to. */
export function startPath(id: string): string {
  return `/auth/${id}/start`;
}

export function callbackPath(id: string): string {
  return `/auth/${id}/callback`;
}

/** All of them, by their id. Throws a `StartError` that names the wrong value. */
export function oidcSettingsOf(options: readonly OidcOptions[]): ReadonlyMap<string, OidcSettings> {
  const all = new Map<string, OidcSettings>();
  for (const one of options) {
    if (all.has(one.id)) throw new StartError(`providers: "${one.id}" is named twice; give each an id of its own.`);
    all.set(one.id, settingsOf(one));
  }
  return all;
}

function settingsOf(options: OidcOptions): OidcSettings {
  const { id, name, issuer, clientId, scopes = scopesByDefault, role = "viewer" } = options;
  if (!/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(id))
    throw new StartError(
      `providers: the id "${id}" stands in addresses; give 1 to 40 small letters, digits and dashes.`,
    );
  if (name.trim() === "" || name.length > nameCharsMax)
    throw new StartError(
      `providers: the name of "${id}" is "${name}"; give 1 to ${nameCharsMax} characters for its button.`,
    );
  if (clientId === "")
    throw new StartError(`providers: "${id}" has no clientId; give what the provider calls this client.`);
  const { search } = checkedUrl(issuer, `providers: issuer of "${id}"`);
  if (search !== "") throw new StartError(`providers: issuer of "${id}" is "${issuer}"; give it without a query.`);
  if (!scopes.includes("openid"))
    throw new StartError(`providers: the scopes of "${id}" lack openid, without which nobody is named; add it.`);
  return { ...options, scopes, role };
}
