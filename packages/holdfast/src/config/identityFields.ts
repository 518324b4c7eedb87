/**
 * Who signs people in besides the link: a Supabase project, a provider with a page of its own, other issuers of tokens.
 *
 * What is to be right about the values together is the server's to say (`issuersOf`, `oidcSettingsOf`); here each is
 * judged alone. Invariant: nothing of it is on by default, and no variable that other programs use turns it on:
 * who may sign in is said here or nowhere.
 */
import type { IssuerOptions, OidcOptions, PersonRole, ServerOptions } from "@holdfast/server";
import { supabaseIssuer } from "@holdfast/server/issuers";
import { choice, optional, plainText, records, webAddress } from "./values.ts";

export interface IdentityConfig {
  readonly supabase: {
    readonly url: string | null;
    readonly secret: string | null;
    readonly publishableKey: string | null;
    readonly role: PersonRole;
  };
  readonly oidc: {
    readonly issuer: string | null;
    readonly clientId: string | null;
    readonly clientSecret: string | null;
    readonly name: string;
    readonly role: PersonRole;
  };
  readonly issuers: readonly IssuerOptions[];
}

const role = { kind: choice(["viewer", "operator", "admin"]), default: "viewer", secret: false } as const;
const absent = { default: null, secret: false } as const;

export const identityFields = [
  {
    ...absent,
    path: "signIn.supabase.url",
    kind: optional(webAddress()),
    sentence: "A Supabase project, https://<ref>.supabase.co, whose users' tokens sign in here.",
  },
  {
    ...absent,
    path: "signIn.supabase.secret",
    kind: optional(plainText()),
    sentence: "Its legacy JWT secret, where it still signs with one; its key set is used in any case.",
    secret: true,
  },
  {
    ...absent,
    path: "signIn.supabase.publishableKey",
    kind: optional(plainText()),
    sentence:
      "Its publishable (or anonymous) key: with it the sign-in page takes its users' e-mail and password, and sends links by e-mail.",
  },
  { ...role, path: "signIn.supabase.role", sentence: "What its users may do when they first come." },
  {
    ...absent,
    path: "signIn.oidc.issuer",
    kind: optional(webAddress()),
    sentence:
      "A provider with OpenID Connect discovery, for a button on the sign-in page; letter by letter its issuer.",
  },
  {
    ...absent,
    path: "signIn.oidc.clientId",
    kind: optional(plainText()),
    sentence: "What the provider calls this server; its redirect address there is <publicUrl>/auth/oidc/callback.",
  },
  {
    ...absent,
    path: "signIn.oidc.clientSecret",
    kind: optional(plainText()),
    sentence: "What the provider knows this server by; none for a public client.",
    secret: true,
  },
  {
    path: "signIn.oidc.name",
    kind: plainText(),
    default: "single sign-on",
    sentence: "The words on the button, after “Sign in with”.",
    secret: false,
  },
  { ...role, path: "signIn.oidc.role", sentence: "What its people may do when they first come." },
  {
    path: "signIn.issuers",
    kind: records(["issuer", "jwksUrl", "secret", "audience", "role", "workspaceClaim"]),
    default: [],
    sentence: "Other issuers of tokens, a list of { issuer, jwksUrl or secret, audience, role, workspaceClaim }.",
    secret: true,
  },
] as const;

/** As the server takes it. */
export function identityOptions({ signIn }: { readonly signIn: IdentityConfig }): Partial<ServerOptions> {
  const { supabase, oidc, issuers } = signIn;
  const { url, secret, publishableKey, role: first } = supabase;
  const project = url === null ? [] : [supabaseIssuer({ url, role: first, ...(secret === null ? {} : { secret }) })];
  return {
    issuers: [...project, ...issuers],
    providers: providersOf(oidc),
    ...(url !== null && publishableKey !== null && { supabase: { url, publishableKey } }),
  };
}

/** A setting that is given without the one that it needs. */
export function lackingIdentity({
  oidc,
  supabase,
}: IdentityConfig): { readonly there: string; readonly missing: string } | undefined {
  if (oidc.issuer !== null && oidc.clientId === null) return { there: "oidc.issuer", missing: "oidc.clientId" };
  if (oidc.clientId !== null && oidc.issuer === null) return { there: "oidc.clientId", missing: "oidc.issuer" };
  if (supabase.publishableKey !== null && supabase.url === null)
    return { there: "supabase.publishableKey", missing: "supabase.url" };
  if (supabase.secret !== null && supabase.url === null) return { there: "supabase.secret", missing: "supabase.url" };
  return undefined;
}

function providersOf(oidc: IdentityConfig["oidc"]): readonly OidcOptions[] {
  const { issuer, clientId, clientSecret, name, role: first } = oidc;
  if (issuer === null || clientId === null) return [];
  const secret = clientSecret === null ? {} : { clientSecret };
  return [{ id: "oidc", name, issuer, clientId, ...secret, role: first }];
}
