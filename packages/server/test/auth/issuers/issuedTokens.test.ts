import { createHmac, createPublicKey, randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { issuersOf, supabaseIssuer } from "../../../src/auth/issuers/issuer.ts";
import { startIdentityProvider } from "../../support/identityProvider.ts";
import { openIssuers } from "./issuersWorld.ts";

const secret = "a secret that is long enough for HS256, as it has to be";

describe("an issuer with a key set", () => {
  test("[AU-3] its token signs in, as a viewer of one permanent id, and logs nothing", async () => {
    await using issuers = await openIssuers();
    const verdict = await issuers.auth.verify({ token: await issuers.token(), instance: "" });
    expect(verdict).toEqual({
      kind: "accepted",
      principal: {
        kind: "person",
        id: expect.stringMatching(/^user-[\w-]{22}$/),
        name: "Ada",
        role: "viewer",
        workspace: "default",
        temporary: false,
      },
      expiresAt: issuers.world.clock.now() + 3_600_000,
      cookie: false,
      credential: expect.stringMatching(/^user user-/),
    });
    const again = await issuers.auth.verify({ token: await issuers.token({ name: "Ada L." }), instance: "" });
    expect(again).toMatchObject({ principal: { id: (verdict as { principal: { id: string } }).principal.id } });
    expect(issuers.world.log).toEqual([]);
  });

  test("[AU-3] each of its usual algorithms is taken, and none that it was not configured for", async () => {
    for (const alg of ["RS256", "ES256", "EdDSA"]) {
      await using issuers = await openIssuers({ alg });
      expect(await issuers.read(await issuers.token()), alg).toMatchObject({ kind: "valid" });
    }
    await using issuers = await openIssuers({ alg: "ES384" });
    expect(await issuers.read(await issuers.token())).toMatchObject({ kind: "refused" });
    expect(issuers.provider.asked.size).toBe(0);
  });

  test("[T1] [AU-4] no algorithm but the issuer's: none, its public key as a secret, another curve", async () => {
    await using issuers = await openIssuers({ alg: "RS256" });
    const { jwk, kid } = issuers.provider.newest;
    const pem = createPublicKey({ key: jwk as never, format: "jwk" }).export({ type: "spki", format: "pem" }) as string;
    const claims = payloadOf(await issuers.token());
    const unsigned = (alg: string): string => `${encode({ alg, kid })}.${encode(claims)}.`;
    for (const key of [pem, ` ${pem}`, `\n${pem}`, JSON.stringify(jwk)]) {
      const text = `${encode({ alg: "HS256", kid })}.${encode(claims)}`;
      const forged = `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
      expect(await issuers.read(forged)).toMatchObject({ kind: "refused" });
    }
    for (const alg of ["none", "None", "NONE", "", "ES256"])
      expect(await issuers.read(unsigned(alg)), alg).toMatchObject({ kind: "refused" });
  });

  test("[T2] [AU-4] a header's own keys and their addresses are never looked at", async () => {
    await using issuers = await openIssuers();
    await using thief = await startIdentityProvider();
    const now = Math.floor(issuers.world.clock.now() / 1000);
    const claims = { iss: issuers.provider.url, sub: "ada-1", exp: now + 600 };
    const { jwk, privateKey } = thief.newest;
    const { kid } = issuers.provider.newest;
    for (const header of [{ jku: thief.jwksUrl }, { x5u: `${thief.url}/cert` }, { jwk }, { x5c: ["MIIB"] }]) {
      const forged = await new SignJWT(claims)
        .setProtectedHeader({ alg: "ES256", kid, ...header } as never)
        .sign(privateKey);
      expect(await issuers.read(forged)).toMatchObject({ kind: "refused" });
    }
    expect(thief.asked.size).toBe(0);
  });

  test("[T2] [AU-4] a kid is only compared", async () => {
    await using issuers = await openIssuers();
    expect(await issuers.read(await issuers.token())).toMatchObject({ kind: "valid" });
    for (const kid of [
      "../../dev/null",
      "' OR 1=1",
      "http://127.0.0.1/",
      "k".repeat(10_000),
      "__proto__",
      "constructor",
    ])
      expect(await issuers.read(await issuers.token({}, { kid })), kid.slice(0, 20)).not.toMatchObject({
        kind: "valid",
      });
    expect(issuers.provider.asked).toEqual(new Map([["/jwks.json", 2]]));
  });

  test("[T4] [AU-4] each claim that is missing or wrong is a refusal that names it, and repeats nothing", async () => {
    await using issuers = await openIssuers({ audience: "holdfast" });
    const now = Math.floor(issuers.world.clock.now() / 1000);
    const right = { aud: "holdfast" };
    expect(await issuers.read(await issuers.token(right))).toMatchObject({ kind: "valid" });
    expect(await issuers.read(await issuers.token({ aud: ["other", "holdfast"] }))).toMatchObject({ kind: "valid" });
    const wrong: Readonly<Record<string, [Record<string, unknown>, RegExp]>> = {
      "no sub": [{ ...right, sub: undefined }, /sub/],
      "sub no text": [{ ...right, sub: 7 }, /sub/],
      "sub empty": [{ ...right, sub: "" }, /sub/],
      "sub endless": [{ ...right, sub: "s".repeat(256) }, /sub/],
      "no exp": [{ ...right, exp: undefined }, /exp/],
      "no aud": [{}, /aud/],
      "another aud": [{ aud: "canary-audience" }, /aud/],
      over: [{ ...right, exp: now - 31 }, /expired/],
      "not yet": [{ ...right, nbf: now + 31 }, /not valid yet/],
      "issued in the future": [{ ...right, iat: now + 31 }, /future/],
      "issued at no time": [{ ...right, iat: "yesterday" }, /iat/],
      anonymous: [{ ...right, is_anonymous: true }, /anonymous/],
    };
    for (const [what, [claims, reason]] of Object.entries(wrong)) {
      const reading = await issuers.read(await issuers.token(claims));
      expect(reading, what).toEqual({ kind: "refused", reason: expect.stringMatching(reason) });
      expect(JSON.stringify(reading)).not.toContain("canary");
    }
    for (const claims of [{ exp: now - 29 }, { nbf: now + 30 }, { iat: now + 30 }])
      expect(await issuers.read(await issuers.token({ ...right, ...claims }))).toMatchObject({ kind: "valid" });
  });

  test("[AU-3] an unknown issuer is a plain refusal: nobody is asked, nothing is logged", async () => {
    await using issuers = await openIssuers();
    const other = await issuers.token({ iss: `${issuers.provider.url}/` });
    for (const token of [
      other,
      "",
      "not.a.token",
      "a.b.c",
      await issuers.token({ iss: undefined }),
      "x".repeat(20_000),
    ])
      expect(await issuers.auth.verify({ token, instance: "" })).toMatchObject({ kind: "refused" });
    expect([issuers.provider.asked.size, issuers.world.log]).toEqual([0, []]);
  });

  test("[AU-3] two issuers' people of one subject are two, and neither's key signs for the other", async () => {
    await using other = await startIdentityProvider();
    await using issuers = await openIssuers({
      more: [{ issuer: other.url, jwksUrl: other.jwksUrl, role: "operator" }],
    });
    const now = Math.floor(issuers.world.clock.now() / 1000);
    const claims = { sub: "ada-1", exp: now + 600 };
    const [one, two] = await Promise.all(
      [await issuers.token(), await other.sign(claims)].map((token) => issuers.auth.verify({ token, instance: "" })),
    );
    expect([one, two]).toMatchObject([{ principal: { role: "viewer" } }, { principal: { role: "operator" } }]);
    expect(one).not.toMatchObject({ principal: { id: (two as { principal: { id: string } }).principal.id } });
    const crossed = await other.sign({ ...claims, iss: issuers.provider.url });
    expect(await issuers.read(crossed)).not.toMatchObject({ kind: "valid" });
  });

  test("a workspace comes from the claim that is configured for it, and is then required", async () => {
    await using issuers = await openIssuers({ workspaceClaim: "org" });
    expect(await issuers.read(await issuers.token({ org: "kelp" }))).toMatchObject({ identity: { workspace: "kelp" } });
    for (const org of [undefined, "", 7, ["kelp"], "w".repeat(201)])
      expect(await issuers.read(await issuers.token({ org }))).toMatchObject({ kind: "refused" });
  });
});

describe("an issuer with a shared secret", () => {
  const issuer = "https://legacy.example.org/auth/v1";
  const sign = (claims: Record<string, unknown>, key = secret, alg = "HS256"): Promise<string> =>
    new SignJWT({ iss: issuer, sub: "ada-1", aud: "authenticated", ...claims })
      .setProtectedHeader({ alg })
      .sign(new TextEncoder().encode(key));

  test("[AU-3] its HS256 token signs in; another secret, hash or audience does not", async () => {
    await using issuers = await openIssuers({ more: [{ issuer, secret, audience: "authenticated" }] });
    const exp = Math.floor(issuers.world.clock.now() / 1000) + 600;
    expect(await issuers.read(await sign({ exp }))).toMatchObject({ kind: "valid", identity: { subject: "ada-1" } });
    for (const token of [
      await sign({ exp }, `${secret} `),
      await sign({ exp }, `${secret}${secret}`, "HS512"),
      await sign({ exp, aud: "anon" }),
      await sign({ exp, iss: issuers.provider.url }),
    ])
      expect(await issuers.read(token)).toMatchObject({ kind: "refused" });
    expect(issuers.provider.asked.size).toBe(0);
  });

  test("[AU-3] a Supabase project of either kind signs in by two settings, one that moves by both at once", async () => {
    await using provider = await startIdentityProvider();
    const project = supabaseIssuer({ url: `${provider.url}/`, secret, role: "operator" });
    expect(project).toEqual({
      issuer: `${provider.url}/auth/v1`,
      jwksUrl: `${provider.url}/auth/v1/.well-known/jwks.json`,
      audience: "authenticated",
      secret,
      role: "operator",
    });
    await using issuers = await openIssuers({ more: [{ ...project, jwksUrl: provider.jwksUrl }] });
    const exp = Math.floor(issuers.world.clock.now() / 1000) + 600;
    const claims = {
      iss: `${provider.url}/auth/v1`,
      sub: randomUUID(),
      aud: "authenticated",
      role: "authenticated",
      email: "ada@example.org",
      user_metadata: { full_name: "Ada Lovelace" },
      is_anonymous: false,
      exp,
    };
    for (const token of [await provider.sign(claims), await sign(claims)])
      expect(await issuers.auth.verify({ token, instance: "" })).toMatchObject({
        kind: "accepted",
        principal: { name: "Ada Lovelace", role: "operator" },
      });
    // What its two public keys of old are signed as: no person.
    const anonKey = await sign({ iss: "supabase", role: "anon", exp });
    const service = await sign({ ...claims, sub: undefined, role: "service_role" });
    for (const token of [anonKey, service]) expect(await issuers.read(token)).toMatchObject({ kind: "refused" });
  });
});

test("settings that cannot be right are refused at start, each in one sentence", () => {
  const issuer = "https://id.example.org";
  const jwksUrl = `${issuer}/jwks.json`;
  expect(() => issuersOf([{ issuer }])).toThrow(/neither jwksUrl nor secret/);
  expect(() => issuersOf([{ issuer: "", secret }])).toThrow(/issuer is empty/);
  expect(() => issuersOf([{ issuer, secret: "short" }])).toThrow(/has 5 bytes; HS256 needs 32/);
  expect(() =>
    issuersOf([
      { issuer, secret },
      { issuer, jwksUrl },
    ]),
  ).toThrow(/named twice/);
  expect(() => issuersOf([{ issuer, jwksUrl, algorithms: ["HS256" as never] }])).toThrow(/names HS256/);
  expect(() => issuersOf([{ issuer, jwksUrl, role: "agent" as never }])).toThrow(/the role of .* is "agent"/);
  for (const url of ["http://id.example.org/jwks", "ftp://x/", "not a url", "https://a:b@id.example.org/", ""])
    expect(() => issuersOf([{ issuer, jwksUrl: url }]), url).toThrow(/https:\/\//);
  expect(() => supabaseIssuer({ url: "kelp.supabase.co" })).toThrow(/supabase\.url is "kelp\.supabase\.co"/);
});

function payloadOf(token: string): unknown {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
