/** Who signs people in besides the link, from settings to what the server takes. */
import { expect, it } from "vitest";
import { identityOptions } from "../../src/config/identityFields.ts";
import { maskedValue, printConfig } from "../../src/config/print.ts";
import { resolveConfig } from "../../src/config/resolve.ts";

function resolved(environment: Record<string, string>) {
  return resolveConfig({ argv: [], environment, directory: "/made/up", readFile: () => undefined });
}

function optionsOf(environment: Record<string, string>): ReturnType<typeof identityOptions> {
  const result = resolved(environment);
  if ("problem" in result) throw new Error(result.problem);
  return identityOptions(result.config);
}

const supabase = { HOLDFAST_SIGN_IN_SUPABASE_URL: "https://kelp.supabase.co" };

it("is nobody by default, whatever variables of other programs there are", () => {
  const foreign = { SUPABASE_URL: "https://kelp.supabase.co", SUPABASE_JWT_SECRET: "x".repeat(40) };
  expect(optionsOf(foreign)).toEqual({ issuers: [], providers: [] });
});

it("takes a Supabase project of either kind by two settings", () => {
  const issuer = "https://kelp.supabase.co/auth/v1";
  const project = { issuer, jwksUrl: `${issuer}/.well-known/jwks.json`, audience: "authenticated", role: "viewer" };
  expect(optionsOf(supabase)).toEqual({ issuers: [project], providers: [] });
  const secret = "s".repeat(40);
  expect(optionsOf({ ...supabase, HOLDFAST_SIGN_IN_SUPABASE_SECRET: secret })).toEqual({
    issuers: [{ ...project, secret }],
    providers: [],
  });
});

it("offers a Supabase project's own sign-in once its publishable key is named", () => {
  const key = { HOLDFAST_SIGN_IN_SUPABASE_PUBLISHABLE_KEY: "sb_publishable_kelp" };
  expect(optionsOf({ ...supabase, ...key }).supabase).toEqual({
    url: "https://kelp.supabase.co",
    publishableKey: "sb_publishable_kelp",
  });
  expect(resolved(key)).toMatchObject({ problem: expect.stringContaining("signIn.supabase.url") });
});

it("takes a provider with a page of its own, and other issuers as JSON", () => {
  const issuers = [{ issuer: "https://id.example.org", secret: "s".repeat(40), audience: "fleet" }];
  const environment = {
    HOLDFAST_SIGN_IN_OIDC_ISSUER: "https://id.example.org/realms/kelp",
    HOLDFAST_SIGN_IN_OIDC_CLIENT_ID: "holdfast",
    HOLDFAST_SIGN_IN_OIDC_CLIENT_SECRET: "a secret",
    HOLDFAST_SIGN_IN_OIDC_ROLE: "operator",
    HOLDFAST_SIGN_IN_ISSUERS: JSON.stringify(issuers),
  };
  expect(optionsOf(environment)).toEqual({
    issuers,
    providers: [
      {
        id: "oidc",
        name: "single sign-on",
        issuer: "https://id.example.org/realms/kelp",
        clientId: "holdfast",
        clientSecret: "a secret",
        role: "operator",
      },
    ],
  });
});

it("shows no secret of them", () => {
  const environment = {
    ...supabase,
    HOLDFAST_SIGN_IN_SUPABASE_SECRET: `canary ${"s".repeat(40)}`,
    HOLDFAST_SIGN_IN_ISSUERS: '[{"issuer": "https://id.example.org", "secret": "canary"}]',
    HOLDFAST_SIGN_IN_OIDC_ISSUER: "https://id.example.org",
    HOLDFAST_SIGN_IN_OIDC_CLIENT_ID: "holdfast",
    HOLDFAST_SIGN_IN_OIDC_CLIENT_SECRET: "canary",
  };
  const result = resolved(environment);
  if ("problem" in result) throw new Error(result.problem);
  const shown = printConfig(result.config, result.sources);
  expect(shown).not.toContain("canary");
  expect(JSON.parse(shown)).toMatchObject({ signIn: { issuers: { value: maskedValue } } });
});

it.each<[string, Record<string, string>, string]>([
  ["a secret without its project", { HOLDFAST_SIGN_IN_SUPABASE_SECRET: "x" }, "signIn.supabase.url"],
  ["a provider without a client", { HOLDFAST_SIGN_IN_OIDC_ISSUER: "https://id.example.org" }, "signIn.oidc.clientId"],
  ["a client without a provider", { HOLDFAST_SIGN_IN_OIDC_CLIENT_ID: "x" }, "signIn.oidc.issuer"],
  ["no address", { HOLDFAST_SIGN_IN_SUPABASE_URL: "kelp" }, '"kelp"'],
  ["no list", { HOLDFAST_SIGN_IN_ISSUERS: "{" }, "a JSON list"],
  ["an issuer with a field too many", { HOLDFAST_SIGN_IN_ISSUERS: '[{"issuer": "x", "jku": "x"}]' }, "a JSON list"],
  ["an issuer without a name", { HOLDFAST_SIGN_IN_ISSUERS: '[{"jwksUrl": "x"}]' }, "a JSON list"],
  ["an unknown role", { HOLDFAST_SIGN_IN_OIDC_ROLE: "agent" }, "viewer, operator, admin"],
])("refuses %s, in one sentence that names it", (_what, environment, named) => {
  expect(resolved(environment)).toEqual({ problem: expect.stringContaining(named) });
});
