/**
 * The key that signs sessions and API keys is changed in time, and nobody is signed out by it.
 *
 * Seen red: with the newest key signing at once, with former keys dropped, with an unknown id refused while the store is
 * away, with each unknown id a question, with other secrets derived from the newest key, with both of two nodes' keys kept.
 */
import { decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import { apiKeyLifeMs, sessionLifeMs } from "../../src/auth/lives.ts";
import { type Auth, createAuth } from "../../src/auth/service.ts";
import { askedApartMs, knownBeforeMs, restMs } from "../../src/auth/signingKeys.ts";
import { apiKeyPrefix } from "../../src/auth/tokens.ts";
import { openNodes } from "../support/nodes.ts";
import { type AuthWorld, openAuth } from "./authWorld.ts";

const instance = "0190a1b2-0000-7000-8000-000000000000";
const keyLifeMs = 600_000;

const kidOf = (cookie: string): string | undefined => decodeProtectedHeader(cookie).kid;
/** What is done in the background is over. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

async function node({ run, clock, random, logger }: AuthWorld): Promise<Auth> {
  return createAuth({ run, mode: "local", clock, random, log: logger, signingKeyLifeMs: keyLifeMs });
}

async function signIn(auth: Auth): Promise<string> {
  const redeemed = await auth.redeem(await auth.signInCode());
  if (redeemed.kind !== "signedIn") throw new Error("the code was refused");
  return redeemed.cookie;
}

/** Signs in when the key's time is over, which makes the next one, and waits until that one signs. */
async function rotated(world: AuthWorld, auth: Auth): Promise<void> {
  await world.clock.advance(keyLifeMs);
  await signIn(auth);
  await settled();
  await world.clock.advance(knownBeforeMs);
}

describe("the key that signs", () => {
  it("[AU-3] is followed by another one in time; what it signed holds on, a refresh is signed by the newer one", async () => {
    await using world = await openAuth();
    const auth = await node(world);
    const cookie = await signIn(auth);
    const token = await auth.agentKey("shell");
    await world.clock.advance(keyLifeMs - 1);
    expect(kidOf(await signIn(auth))).toBe(kidOf(cookie));
    await settled();
    await world.clock.advance(1);
    // It is made now, and known everywhere before it signs.
    expect(kidOf(await signIn(auth))).toBe(kidOf(cookie));
    await settled();
    await world.clock.advance(knownBeforeMs - 1);
    expect(kidOf(await signIn(auth))).toBe(kidOf(cookie));
    await world.clock.advance(1);
    const later = await signIn(auth);
    expect(kidOf(later)).not.toBe(kidOf(cookie));
    for (const credentials of [{ cookie }, { cookie: later }, { token }])
      expect(await auth.verify({ ...credentials, instance })).toMatchObject({ kind: "accepted" });
    const refreshed = await auth.refresh({ cookie, instance });
    expect(refreshed.kind === "extended" && kidOf(refreshed.cookie ?? "")).toBe(kidOf(later));
    const made = world.log.filter(({ event }) => event === "auth.signing_key_made");
    expect(made.map(({ level, fields }) => [level, fields?.["keyId"]])).toEqual([["info", kidOf(later)]]);
  });

  it("goes when nothing that it signed can hold any more; other secrets of the deployment stay", async () => {
    await using world = await openAuth();
    const auth = await node(world);
    const secret = auth.deriveKey?.("a purpose");
    const cookie = await signIn(auth);
    await rotated(world, auth);
    // A session that is kept alive is signed anew; this is the connection's old copy of it.
    for (let at = 0; at < apiKeyLifeMs; at += sessionLifeMs / 2) {
      await auth.refresh({ cookie, instance });
      await settled();
      expect(await auth.verify({ cookie, instance })).toMatchObject({ kind: "accepted" });
      await world.clock.advance(sessionLifeMs / 2);
    }
    await rotated(world, auth);
    expect(await auth.verify({ cookie, instance })).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("another deployment"),
    });
    for (const each of [auth, await node(world)]) expect(each.deriveKey?.("a purpose")).toEqual(secret);
  });

  it("of two nodes that make one at once, one key is the next of both", async () => {
    await using world = await openAuth();
    const [a, b] = [await node(world), await node(world)];
    await world.clock.advance(keyLifeMs);
    await Promise.all([signIn(a), signIn(b)]);
    await settled();
    await world.clock.advance(knownBeforeMs);
    expect(kidOf(await signIn(a))).toBe(kidOf(await signIn(b)));
    expect(world.log.filter(({ event }) => event === "auth.signing_key_made")).toHaveLength(1);
  });

  it("one that cannot be made is tried again after a minute, and the one in use goes on", async () => {
    await using world = await openAuth();
    const auth = await node(world);
    const cookie = await signIn(auth);
    const refused = (): number => world.log.filter(({ event }) => event === "auth.signing_key_not_made").length;
    await world.clock.advance(keyLifeMs);
    const code = await auth.signInCode();
    const { run } = world;
    world.run = (task, input) =>
      task === "auth.rotateSigningKey" ? Promise.reject(new Error("as asked")) : run(task, input);
    const other = await node(world);
    for (let turn = 0; turn < 3; turn += 1) await signIn(other);
    await settled();
    expect(refused()).toBe(1);
    expect(await auth.redeem(code)).toMatchObject({ kind: "signedIn" });
    expect(await other.verify({ cookie, instance })).toMatchObject({ kind: "accepted" });
  });
});

describe("a key that another node has made", () => {
  it("is asked for in the store by whoever meets it, and serves while the store is away once it is known", async () => {
    await using world = await openAuth();
    const [a, b] = [await node(world), await node(world)];
    await rotated(world, a);
    const [cookie, other] = [await signIn(a), await signIn(a)];
    world.store = "fails";
    // Nobody knows yet: that is no refusal (AU-4).
    expect(await b.verify({ cookie, instance })).toMatchObject({ kind: "unavailable", retryAfter: restMs });
    await expect(b.signOut(cookie)).rejects.toMatchObject({ code: "auth_unavailable" });
    await expect(b.refresh({ cookie, instance })).rejects.toMatchObject({ code: "auth_unavailable" });
    world.store = "answers";
    await world.clock.advance(restMs);
    expect(await b.verify({ cookie, instance })).toMatchObject({ kind: "accepted" });
    world.store = "fails";
    expect(await b.verify({ cookie: other, instance })).toMatchObject({ kind: "accepted" });
    expect(world.log.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  });

  it("[T2] however many are made up, the store is asked once a second", async () => {
    await using world = await openAuth();
    await using stranger = await openAuth();
    stranger.random.bytes(7);
    const [auth, foreign] = [await node(world), await node(stranger)];
    const cookie = await signIn(foreign);
    const [, ...rest] = cookie.split(".");
    const forged = (kid: number): string =>
      [Buffer.from(JSON.stringify({ alg: "EdDSA", kid: `k${kid}` })).toString("base64url"), ...rest].join(".");
    world.asked.length = 0;
    for (let second = 0; second < 3; second += 1) {
      const verdicts = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          auth.verify(
            index % 2 === 0 ? { cookie: forged(index), instance } : { token: apiKeyPrefix + forged(index), instance },
          ),
        ),
      );
      verdicts.push(await auth.verify({ cookie: forged(second), instance }));
      for (const verdict of verdicts) expect(verdict).toMatchObject({ kind: "refused" });
      await world.clock.advance(askedApartMs);
    }
    expect(world.asked).toEqual(Array.from({ length: 3 }, () => "auth.signingKeys"));
  });

  it("[AU-9] [AU-7] is told to all nodes before it signs: connections stay, and go on with credentials of the newer key", async () => {
    const nodes = await openNodes(undefined, { signingKeyLifeMs: 5_000 });
    const [a, b] = [await nodes.start(), await nodes.start()];
    const cookie = await a.signIn();
    const [here, there] = [await a.open({ cookie }), await b.open({ cookie })];
    await nodes.clock.advance(6_000);
    await a.signIn();
    // A key is made in real time, and stored in simulated time.
    while (!nodes.log.some(({ event }) => event === "auth.signing_key_made")) {
      await nodes.clock.advance(1);
      await settled();
    }
    for (let ms = 0; ms < knownBeforeMs + 2_000; ms += 5_000) {
      await nodes.clock.advance(5_000);
      for (const client of [here, there]) client.send({ type: "ping", n: ms, visible: true });
    }
    const later = await a.signIn();
    expect(kidOf(later)).not.toBe(kidOf(cookie));
    nodes.store.failing = true;
    const newcomer = await b.open({ cookie: later });
    expect(newcomer.of("welcome")).toHaveLength(1);
    expect([here.closed, there.closed]).toEqual([undefined, undefined]);
  });
});
