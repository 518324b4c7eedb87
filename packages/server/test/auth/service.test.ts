import { generateKeyPairSync } from "node:crypto";
import { CompactSign, SignJWT } from "jose";
import { describe, expect, test, vi } from "vitest";
import { apiKeyLifeMs, sessionLifeMs, signInCodeLifeMs } from "../../src/auth/lives.ts";
import { makeSigningKey } from "../../src/auth/signingKey.ts";
import { createSigningKeys } from "../../src/auth/signingKeys.ts";
import { signInCodesMax } from "../../src/auth/tasks.ts";
import { createTokens } from "../../src/auth/tokens.ts";
import { type AuthWorld, openAuth } from "./authWorld.ts";

const instance = "0190a1b2-0000-7000-8000-000000000000";
const browser = "0190a1b2-0000-7000-8000-00000000000b";

async function signIn(world: AuthWorld): Promise<string> {
  const redeemed = await world.auth.redeem(await world.auth.signInCode());
  if (redeemed.kind !== "signedIn") throw new Error("the code was refused");
  return redeemed.cookie;
}

describe("sign-in codes", () => {
  test("a code signs the owner in, once", async () => {
    await using world = await openAuth();
    const code = await world.auth.signInCode();
    expect(code).toMatch(/^[\w-]{22}$/);
    expect(await world.auth.redeem(code)).toMatchObject({
      kind: "signedIn",
      user: { id: "owner", name: "Owner", role: "admin", workspace: "default", temporary: false },
      expiresAt: world.clock.now() + sessionLifeMs,
    });
    expect(await world.auth.redeem(code)).toEqual({ kind: "refused" });
  });

  test("of two who bring the same code at once, one is signed in", async () => {
    await using world = await openAuth();
    const code = await world.auth.signInCode();
    const answers = await Promise.all([world.auth.redeem(code), world.auth.redeem(code), world.auth.redeem(code)]);
    expect(answers.map((answer) => answer.kind).sort()).toEqual(["refused", "refused", "signedIn"]);
  });

  test("[T8] used, expired and unknown codes get the same answer by the same single transaction", async () => {
    await using world = await openAuth();
    const expired = await world.auth.signInCode();
    await world.clock.advance(signInCodeLifeMs);
    const used = await world.auth.signInCode();
    await world.auth.redeem(used);
    world.asked.length = 0;
    for (const code of [used, expired, "never", ""]) expect(await world.auth.redeem(code)).toEqual({ kind: "refused" });
    expect(world.asked).toEqual(Array.from({ length: 4 }, () => "auth.redeemCode"));
  });

  test("one a moment before its end still holds", async () => {
    await using world = await openAuth();
    const code = await world.auth.signInCode();
    await world.clock.advance(signInCodeLifeMs - 1);
    expect(await world.auth.redeem(code)).toMatchObject({ kind: "signedIn" });
  });

  test("at most 20 are outstanding; the oldest gives way, also within one millisecond", async () => {
    await using world = await openAuth();
    const codes: string[] = [];
    for (let index = 0; index <= signInCodesMax; index += 1) {
      codes.push(await world.auth.signInCode());
      if (index === 0) await world.clock.advance(1);
    }
    expect(await world.auth.redeem(codes[0] ?? "")).toEqual({ kind: "refused" });
    for (const code of codes.slice(1)) expect(await world.auth.redeem(code)).toMatchObject({ kind: "signedIn" });
  });

  test("a store that does not answer is an error, not a refusal", async () => {
    await using world = await openAuth();
    const code = await world.auth.signInCode();
    world.store = "fails";
    await expect(world.auth.redeem(code)).rejects.toMatchObject({ code: "store_unavailable" });
    world.store = "answers";
    expect(await world.auth.redeem(code)).toMatchObject({ kind: "signedIn" });
  });
});

describe("sessions", () => {
  test("[AU-3] a session's cookie is judged from its signature, as the owner", async () => {
    await using world = await openAuth();
    const cookie = await signIn(world);
    expect(await world.auth.verify({ cookie, instance })).toEqual({
      kind: "accepted",
      principal: {
        kind: "person",
        id: "owner",
        name: "Owner",
        role: "admin",
        workspace: "default",
        temporary: false,
        session: expect.any(String),
      },
      expiresAt: Math.floor((world.clock.now() + sessionLifeMs) / 1000) * 1000,
      cookie: true,
      credential: expect.stringMatching(/^session [0-9a-f-]{36}$/),
    });
    expect(await world.auth.verify({ instance })).toMatchObject({ kind: "refused" });
  });

  test("[AU-3] the store is asked once a minute, whoever comes", async () => {
    await using world = await openAuth();
    const cookie = await signIn(world);
    world.asked.length = 0;
    await Promise.all(Array.from({ length: 50 }, () => world.auth.verify({ cookie, instance })));
    await world.clock.advance(59_999);
    await world.auth.verify({ cookie, instance });
    expect(world.asked).toEqual(["auth.session"]);
    await world.clock.advance(1);
    await world.auth.verify({ cookie, instance });
    expect(world.asked).toEqual(["auth.session", "auth.session"]);
  });

  test("[AU-3] many who come at once wait for one question, and for no longer than 2 s", async () => {
    await using world = await openAuth();
    const cookie = await signIn(world);
    world.asked.length = 0;
    world.store = "hangs";
    const verdicts = Array.from({ length: 20 }, () => world.auth.verify({ cookie, instance }));
    await vi.waitUntil(() => world.clock.timers > 0);
    await world.clock.advance(2_000);
    for (const verdict of await Promise.all(verdicts)) expect(verdict).toMatchObject({ kind: "accepted" });
    expect(world.asked).toEqual(["auth.session"]);
    expect(world.clock.timers).toBe(0);
  });

  test("[AU-4] one ends with its time, 30 s of tolerance given", async () => {
    await using world = await openAuth();
    const cookie = await signIn(world);
    await world.clock.advance(sessionLifeMs + 29_000);
    expect(await world.auth.verify({ cookie, instance })).toMatchObject({ kind: "accepted" });
    await world.clock.advance(2_000);
    expect(await world.auth.verify({ cookie, instance })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("expired"),
    });
  });

  test("signing out ends it here at once, elsewhere within a minute", async () => {
    await using world = await openAuth();
    const elsewhere = await world.again();
    const cookie = await signIn(world);
    expect(await elsewhere.verify({ cookie, instance })).toMatchObject({ kind: "accepted" });
    expect(await world.auth.verify({ cookie, instance })).toMatchObject({ kind: "accepted" });
    await world.auth.signOut(cookie);
    expect(await world.auth.verify({ cookie, instance })).toMatchObject({ kind: "refused" });
    await world.clock.advance(60_000);
    expect(await elsewhere.verify({ cookie, instance })).toMatchObject({ kind: "refused" });
    await world.auth.signOut("not a cookie");
  });

  test("a question that was under way when the session ended does not revive it", async () => {
    await using world = await openAuth();
    const cookie = await signIn(world);
    const asked = world.auth.verify({ cookie, instance });
    await world.auth.signOut(cookie);
    await asked;
    expect(await world.auth.verify({ cookie, instance })).toMatchObject({ kind: "refused" });
  });

  test("[AU-4] [F05] a store that fails or hangs refuses nobody, and is then left alone", async () => {
    await using world = await openAuth();
    const first = await signIn(world);
    const second = await signIn(world);
    world.store = "fails";
    expect(await world.auth.verify({ cookie: first, instance })).toMatchObject({ kind: "accepted" });
    world.asked.length = 0;
    expect(await world.auth.verify({ cookie: second, instance })).toMatchObject({ kind: "accepted" });
    expect(world.asked).toEqual([]);
    world.store = "hangs";
    await world.clock.advance(5_000);
    const verdict = world.auth.verify({ cookie: second, instance });
    await vi.waitUntil(() => world.clock.timers === 1);
    await world.clock.advance(2_000);
    expect(await verdict).toMatchObject({ kind: "accepted" });
    expect(world.asked).toEqual(["auth.session"]);
    expect(world.clock.timers).toBe(0);
    expect(world.log.filter(({ level }) => level !== "info" && level !== "debug")).toEqual([]);
  });

  test("[F05] what was known to have ended stays so while the store is down", async () => {
    await using world = await openAuth();
    const cookie = await signIn(world);
    await world.auth.signOut(cookie);
    world.store = "fails";
    await world.clock.advance(120_000);
    expect(await world.auth.verify({ cookie, instance })).toMatchObject({ kind: "refused" });
  });

  test("[AU-3] a restart, or another node, honours sessions and keys: one signing key lives in the store", async () => {
    await using world = await openAuth();
    const cookie = await signIn(world);
    const key = await world.auth.agentKey("shell");
    const [one, two] = await Promise.all([world.again(), world.again()]);
    for (const auth of [one, two]) {
      expect(await auth.verify({ cookie, instance })).toMatchObject({ kind: "accepted" });
      expect(await auth.verify({ token: key, instance })).toMatchObject({ kind: "accepted" });
    }
  });
});

describe("API keys", () => {
  test("[OP-6] an agent's key may enrol one agent; it acts for nobody else", async () => {
    await using world = await openAuth();
    const token = await world.auth.agentKey("shell");
    expect(token).toMatch(/^hfk_[\w-]+\.[\w-]+\.[\w-]+$/);
    const verdict = await world.auth.verify({ token, instance });
    expect(verdict).toMatchObject({
      kind: "accepted",
      principal: {
        kind: "agent",
        name: "shell",
        role: "agent",
        workspace: "default",
        temporary: false,
        key: { enrol: true },
      },
      expiresAt: Math.floor((world.clock.now() + apiKeyLifeMs) / 1000) * 1000,
      cookie: false,
    });
    if (verdict.kind === "accepted") expect(verdict.principal.id).toBe(verdict.principal.key?.id);
  });

  test("the operator's key acts for the owner; a new one ends the one before", async () => {
    await using world = await openAuth();
    const first = await world.auth.operatorKey();
    const agent = await world.auth.agentKey("operator");
    expect(await world.auth.verify({ token: first, instance })).toMatchObject({
      principal: { kind: "person", id: "owner", name: "Owner", role: "admin", key: { enrol: false } },
    });
    // Another server on the same store.
    await world.auth.operatorKey("elsewhere /data");
    expect(await world.auth.verify({ token: first, instance: "" })).toMatchObject({ kind: "accepted" });
    const second = await world.auth.operatorKey();
    expect(await world.auth.verify({ token: first, instance })).toMatchObject({ kind: "forbidden" });
    expect(await world.auth.verify({ token: second, instance })).toMatchObject({ kind: "accepted" });
    expect(await world.auth.verify({ token: agent, instance })).toMatchObject({ kind: "accepted" });
    expect(await (await world.again()).verify({ token: first, instance })).toMatchObject({ kind: "forbidden" });
  });

  test("a name that no log line could hold is refused, by its length", async () => {
    await using world = await openAuth();
    await expect(world.auth.agentKey("")).rejects.toMatchObject({ code: "invalid_params" });
    await expect(world.auth.agentKey("x".repeat(201))).rejects.toThrow("201");
  });
});

describe("forgeries", () => {
  const claims = {
    iss: "holdfast",
    sub: "owner",
    jti: "x",
    kind: "key",
    name: "Owner",
    role: "admin",
    workspace: "default",
    enrol: false,
  };

  async function forge(world: AuthWorld) {
    const real = await world.auth.agentKey("shell");
    const [header = "", payload = "", signature = ""] = real.slice("hfk_".length).split(".");
    const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
    return {
      header,
      payload,
      signature,
      decode,
      encode,
      kid: String(decode(header)["kid"]),
      exp: Math.floor(world.clock.now() / 1000) + 3_600,
    };
  }

  test("[T1] [AU-4] no other algorithm, no other key, no changed claim, no part of a token is accepted", async () => {
    await using world = await openAuth();
    const { header, payload, signature, decode, encode, kid, exp } = await forge(world);
    const stranger = generateKeyPairSync("ed25519");
    const full = { ...claims, exp };
    const publicKey = Buffer.from(String(decode(header)["kid"]));
    const forged = [
      "",
      ".",
      "..",
      "x",
      "x".repeat(20_000),
      `${encode({ alg: "none", kid })}.${encode(full)}.`,
      `${encode({ alg: "None", kid })}.${encode(full)}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${encode({ ...decode(payload), role: "admin" })}.${signature}`,
      `${encode({ ...decode(header), alg: "HS256" })}.${payload}.${signature}`,
      await new SignJWT(full)
        .setProtectedHeader({ alg: "HS256", kid })
        .sign(publicKey.length < 32 ? Buffer.alloc(32, publicKey) : publicKey),
      await new SignJWT(full).setProtectedHeader({ alg: "EdDSA", kid }).sign(stranger.privateKey),
      await new SignJWT(full)
        .setProtectedHeader({ alg: "EdDSA", kid, jwk: stranger.publicKey.export({ format: "jwk" }) })
        .sign(stranger.privateKey),
      await new SignJWT(full)
        .setProtectedHeader({ alg: "EdDSA", kid, jku: "http://127.0.0.1:1/keys", x5u: "http://127.0.0.1:1/x" })
        .sign(stranger.privateKey),
      ...(await Promise.all(
        ["../../dev/null", "' OR 1=1", "http://127.0.0.1:1/", "k".repeat(10_240), "__proto__"].map((other) =>
          new SignJWT(full).setProtectedHeader({ alg: "EdDSA", kid: other }).sign(stranger.privateKey),
        ),
      )),
      await new CompactSign(Buffer.from("not json"))
        .setProtectedHeader({ alg: "EdDSA", kid })
        .sign(stranger.privateKey),
    ];
    for (const token of forged) {
      expect(await world.auth.verify({ token: `hfk_${token}`, instance }), token.slice(0, 80)).toMatchObject({
        kind: "refused",
      });
      expect(await world.auth.verify({ cookie: token, instance }), token.slice(0, 80)).toMatchObject({
        kind: "refused",
      });
    }
  });

  test("[AU-3] a session is no API key, an API key no session, and a stranger's token a plain refusal", async () => {
    await using world = await openAuth();
    const cookie = await signIn(world);
    const key = await world.auth.operatorKey();
    const refused = { kind: "refused" };
    expect(await world.auth.verify({ token: cookie, instance })).toMatchObject(refused);
    expect(await world.auth.verify({ token: `hfk_${cookie}`, instance })).toMatchObject(refused);
    expect(await world.auth.verify({ cookie: key, instance })).toMatchObject(refused);
    expect(await world.auth.verify({ cookie: key.slice(4), instance })).toMatchObject(refused);
    expect(await world.auth.verify({ token: "eyJhbGciOiJIUzI1NiJ9.e30.x", instance })).toMatchObject(refused);
    expect(world.log.filter((line) => line.level !== "info")).toEqual([]);
  });

  test("[AU-1] an explicit credential decides alone: a good cookie does not heal a wrong token", async () => {
    await using world = await openAuth();
    const cookie = await signIn(world);
    expect(await world.auth.verify({ token: "", cookie, instance })).toMatchObject({ kind: "refused" });
    expect(await world.auth.verify({ token: "hfk_x", cookie, instance })).toMatchObject({ kind: "refused" });
  });

  test("[AU-3] another deployment's tokens are refused, however valid there", async () => {
    await using world = await openAuth();
    await using other = await openAuth();
    // Both worlds drew the same random numbers, so this one draws on.
    const foreign = { ...(await makeSigningKey(other.random)), made: 0, signsFrom: 0, endsAt: null, isRoot: true };
    const keys = await createSigningKeys({
      load: async () => [foreign],
      rotate: async () => [foreign],
      keyLifeMs: Number.POSITIVE_INFINITY,
      clock: other.clock,
      random: other.random,
      log: other.logger,
    });
    const tokens = createTokens(keys, other.clock);
    const exp = Math.floor(world.clock.now() / 1000) + 60;
    const signed = await tokens.sign({
      kind: "key",
      jti: "x",
      sub: "owner",
      exp,
      name: "Owner",
      role: "admin",
      workspace: "default",
      enrol: true,
    });
    expect(await world.auth.verify({ token: `hfk_${signed}`, instance })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("another deployment"),
    });
  });
});

describe("development mode", () => {
  test("[AU-6] without credential one is a temporary admin, the same for one instance, one for a browser's tabs", async () => {
    await using world = await openAuth("development");
    expect(await world.auth.verify({ instance })).toEqual({
      kind: "accepted",
      principal: {
        kind: "person",
        id: `dev-temp-${instance}`,
        name: "Developer",
        role: "admin",
        workspace: "default",
        temporary: true,
      },
      cookie: false,
    });
    expect(await world.auth.verify({ instance, browser })).toMatchObject({ principal: { id: `dev-temp-${browser}` } });
    // One warning at start, none per connection.
    expect(world.log.map(({ level, event }) => `${level} ${event}`)).toEqual(["warn auth.development_mode"]);
  });

  test("[AU-6] a wrong explicit credential is refused here too; a lapsed cookie is no credential", async () => {
    await using world = await openAuth("development");
    expect(await world.auth.verify({ token: "hfk_wrong", instance })).toMatchObject({ kind: "refused" });
    expect(await world.auth.verify({ token: "", instance })).toMatchObject({ kind: "refused" });
    expect(await world.auth.verify({ cookie: "wrong", instance })).toMatchObject({ principal: { temporary: true } });
    expect(await world.auth.verify({ cookie: await signIn(world), instance })).toMatchObject({
      principal: { id: "owner" },
    });
  });

  test("[AU-6] local mode trusts nobody for being near", async () => {
    await using world = await openAuth("local");
    expect(await world.auth.verify({ instance, browser })).toMatchObject({ kind: "refused" });
    expect(await world.auth.userOf({ instance })).toBeNull();
    expect(await world.auth.userOf({ cookie: "wrong", instance })).toBeNull();
    await expect(world.auth.userOf({ token: "wrong", instance })).rejects.toMatchObject({ code: "unauthenticated" });
  });
});

test("[F04] [L2] nothing above info in a whole life, and no secret in any line, reason or row", async () => {
  await using world = await openAuth();
  const code = await world.auth.signInCode();
  const redeemed = await world.auth.redeem(code);
  const cookie = redeemed.kind === "signedIn" ? redeemed.cookie : "";
  const keys = [await world.auth.agentKey("shell"), await world.auth.operatorKey()];
  const reasons: unknown[] = [];
  for (const token of keys) {
    await world.auth.verify({ token, instance });
    reasons.push(
      await world.auth.verify({ token: `${token}x`, instance }),
      await world.auth.verify({ cookie: token, instance }),
    );
  }
  await world.auth.verify({ cookie, instance });
  reasons.push(
    await world.auth.verify({ cookie: `${cookie}x`, instance }),
    await world.auth.userOf({ token: cookie, instance }).catch(String),
  );
  await world.auth.signOut(cookie);
  expect(world.log.length).toBeGreaterThan(3);
  expect(world.log.filter((line) => line.level !== "info")).toEqual([]);
  const written = JSON.stringify([world.log, reasons]);
  for (const secret of [
    code,
    cookie,
    ...keys,
    ...keys.map((key) => key.split(".")[2] ?? ""),
    cookie.split(".")[2] ?? "",
  ]) {
    expect(written).not.toContain(secret);
  }
});
