/** A session that is extended (AU-7), and what is told when one ends before its time (AU-9). */
import { expect, test, vi } from "vitest";
import { sessionLifeMs } from "../../src/auth/lives.ts";
import { createStandings, type Found } from "../../src/auth/standings.ts";
import { createSimClock } from "../support/simClock.ts";
import { type AuthWorld, collectLog, openAuth } from "./authWorld.ts";

const instance = "0190a1b2-0000-7000-8000-000000000000";

async function signIn(world: AuthWorld): Promise<string> {
  const redeemed = await world.auth.redeem(await world.auth.signInCode());
  if (redeemed.kind !== "signedIn") throw new Error("the code was refused");
  return redeemed.cookie;
}

test("[AU-7] refreshed it lasts its full life again: the same session, also for the cookie of before", async () => {
  await using world = await openAuth();
  const old = await signIn(world);
  await world.auth.verify({ cookie: old, instance });
  await world.clock.advance(sessionLifeMs - 50_000);
  const refreshed = await world.auth.refresh({ cookie: old, instance });
  expect(refreshed).toMatchObject({ kind: "extended", user: { id: "owner", role: "admin", temporary: false } });
  const cookie = refreshed.kind === "extended" ? refreshed.cookie : undefined;
  expect(cookie).not.toBe(old);
  const end = Math.floor((world.clock.now() + sessionLifeMs) / 1000) * 1000;
  const [before, after] = [
    await world.auth.verify({ cookie: old, instance }),
    await world.auth.verify({ cookie: cookie ?? "", instance }),
  ];
  expect(before).toMatchObject({ kind: "accepted", expiresAt: end });
  expect(after).toEqual(before);
  expect(world.log.filter((line) => line.event === "auth.session_extended")).toHaveLength(1);
  // The connection that still carries it is refreshed a second time, long after its own end.
  await world.clock.advance(sessionLifeMs - 50_000);
  expect(await world.auth.refresh({ cookie: old, instance })).toMatchObject({ kind: "extended" });
  expect(await world.auth.verify({ cookie: old, instance })).toMatchObject({ kind: "accepted" });
  await world.clock.advance(sessionLifeMs + 31_000);
  expect(await world.auth.verify({ cookie: old, instance })).toMatchObject({ kind: "refused" });
});

test("[AU-7] another node sees the new end at once where the old one is near", async () => {
  await using world = await openAuth();
  const elsewhere = await world.again();
  const cookie = await signIn(world);
  await world.clock.advance(sessionLifeMs - 50_000);
  expect(await elsewhere.verify({ cookie, instance })).toMatchObject({ kind: "accepted" });
  await world.auth.refresh({ cookie, instance });
  expect(await elsewhere.verify({ cookie, instance })).toMatchObject({
    expiresAt: Math.floor((world.clock.now() + sessionLifeMs) / 1000) * 1000,
  });
});

test("[AU-7] here the new end is seen at once, whenever it was refreshed", async () => {
  await using world = await openAuth();
  const cookie = await signIn(world);
  await world.auth.verify({ cookie, instance });
  await world.clock.advance(10_000);
  await world.auth.refresh({ cookie, instance });
  expect(await world.auth.verify({ cookie, instance })).toMatchObject({
    expiresAt: Math.floor((world.clock.now() + sessionLifeMs) / 1000) * 1000,
  });
});

test("[AU-7] an answer that was on its way when it was refreshed takes nothing back", async () => {
  const clock = createSimClock();
  const answers: ((found: Found) => void)[] = [];
  const ask = (): Promise<Found> => new Promise((resolve) => answers.push(resolve));
  const standings = createStandings({ ask, clock, log: collectLog().log });
  const asked = standings.of("session", "s");
  await vi.waitUntil(() => answers.length === 1);
  const known = { name: "Ada", role: "admin" } as const;
  standings.extended("s", { ...known, expiresAt: clock.now() + 900_000 });
  answers[0]?.({ ...known, expiresAt: clock.now() + 300_000 });
  expect(await asked).toMatchObject({ expiresAt: clock.now() + 900_000 });
  expect(await standings.of("session", "s")).toMatchObject({ expiresAt: clock.now() + 900_000 });
});

test("[AU-7] what is over is not refreshed: signed out, past its end, no session at all", async () => {
  await using world = await openAuth();
  const signedOut = await signIn(world);
  await world.auth.signOut(signedOut);
  const late = await signIn(world);
  await world.clock.advance(sessionLifeMs);
  const key = await world.auth.operatorKey();
  for (const cookie of [signedOut, late, key, "", "x.y.z"])
    expect(await world.auth.refresh({ cookie, instance })).toEqual({ kind: "refused" });
  expect(await world.auth.refresh({ instance })).toEqual({ kind: "refused" });
});

test("[AU-7] without a store a cookie past its own end is not believed to be extended", async () => {
  await using world = await openAuth();
  const cookie = await signIn(world);
  await world.clock.advance(sessionLifeMs + 31_000);
  world.store = "fails";
  expect(await world.auth.verify({ cookie, instance })).toMatchObject({ kind: "refused" });
  await expect(world.auth.refresh({ cookie, instance })).rejects.toThrow("the store is down");
});

test("[AU-9] each end of a session or key is told by the name that its verdicts bear", async () => {
  await using world = await openAuth();
  const ended: string[] = [];
  world.auth.onEnded((credential) => void ended.push(credential));
  const names: unknown[] = [];
  const nameOf = async (credentials: { token?: string; cookie?: string }): Promise<void> => {
    const verdict = await world.auth.verify({ ...credentials, instance });
    names.push(verdict.kind === "accepted" ? verdict.credential : undefined);
  };
  const cookie = await signIn(world);
  await nameOf({ cookie });
  await world.auth.signOut(cookie);
  await nameOf({ token: await world.auth.operatorKey() });
  const newer = await world.auth.operatorKey();
  await nameOf({ token: newer });
  await world.auth.revokeKey(String(names[2]).replace("key ", ""));
  expect(ended).toEqual(names);
  expect(new Set(ended).size).toBe(3);
});

test("[AU-9] a revoked key is forbidden, here at once", async () => {
  await using world = await openAuth();
  const token = await world.auth.agentKey("shell");
  const verdict = await world.auth.verify({ token, instance });
  if (verdict.kind !== "accepted") throw new Error("refused");
  await world.auth.revokeKey(verdict.principal.key?.id ?? "");
  expect(await world.auth.verify({ token, instance })).toMatchObject({ kind: "forbidden" });
});
