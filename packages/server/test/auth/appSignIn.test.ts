/** The app's own sign-in in the place of ours: its answer is the verdict, its failure is none. */
import { expect, test } from "vitest";
import { type Authenticate, createAppSignIn } from "../../src/auth/appSignIn.ts";
import type { Auth } from "../../src/auth/service.ts";
import { type AuthWorld, openAuth } from "./authWorld.ts";

const instance = "0190a1b2-0000-7000-8000-000000000000";

async function open(authenticate: Authenticate): Promise<{ auth: Auth; world: AuthWorld }> {
  const world = await openAuth();
  return { world, auth: createAppSignIn(world.auth, authenticate, world.logger) };
}

test("what the app returns is who it is, with the defaults of a person", async () => {
  const seen: unknown[] = [];
  const { auth } = await open((request) => {
    seen.push(request);
    return { id: "ada", expiresAt: 5_000 };
  });
  const verdict = await auth.verify({ token: "t", cookies: "a=1; b=%C3%A9; a=2; c", instance });
  expect(seen).toEqual([{ token: "t", cookies: { a: "1", b: "é" } }]);
  expect(verdict).toEqual({
    kind: "accepted",
    principal: { kind: "person", id: "ada", name: "ada", role: "operator", workspace: "default", temporary: false },
    expiresAt: 5_000,
    cookie: false,
  });
  expect(await auth.userOf({ cookies: "", instance })).toMatchObject({ id: "ada", role: "operator" });
});

test("null is nobody: refused at the socket, no user over HTTP", async () => {
  const { auth } = await open(() => null);
  expect(await auth.verify({ instance })).toMatchObject({ kind: "refused" });
  expect(await auth.userOf({ instance })).toBeNull();
  await expect(auth.userOf({ token: "x", instance })).rejects.toMatchObject({ code: "unauthenticated" });
});

test("[AU-4] an app that throws, or names nobody properly, has not judged: unavailable, logged, and nothing of it told", async () => {
  const faults: Authenticate[] = [
    () => Promise.reject(new Error("the identity provider is down, as asked")),
    () => ({ id: "" }),
    () => ({ id: "a", name: "x".repeat(201) }),
  ];
  for (const fault of faults) {
    const { auth, world } = await open(fault);
    const verdict = await auth.verify({ token: "t", instance });
    expect(verdict).toEqual({ kind: "unavailable", reason: "Who this is cannot be judged now.", retryAfter: 5_000 });
    expect(world.log.filter(({ level }) => level === "error")).toHaveLength(1);
  }
});

test("a key that this server made is not the app's to judge; its links are not made", async () => {
  const { auth, world } = await open(() => null);
  const key = await world.auth.agentKey("worker");
  expect(await auth.verify({ token: key, instance })).toMatchObject({ kind: "accepted" });
  await expect(auth.signInCode()).rejects.toThrow(/authenticate/);
  const code = await world.auth.signInCode();
  expect(await auth.redeem(code)).toEqual({ kind: "refused" });
});

test("a cookie's name can be no trap", async () => {
  const { auth } = await open(({ cookies }) => ({ id: String(cookies["constructor"] ?? "none") }));
  expect(await auth.verify({ cookies: "constructor=x", instance })).toMatchObject({
    principal: { id: "x" },
  });
});

test("[AU-7] refreshing asks the app, whose session it is: no cookie of ours, and its failure is none", async () => {
  let answer: Authenticate = () => ({ id: "ada" });
  const { auth } = await open((request) => answer(request));
  expect(await auth.refresh({ cookies: "sid=1", instance })).toEqual({
    kind: "extended",
    user: { id: "ada", name: "ada", role: "operator", workspace: "default", temporary: false },
  });
  answer = () => null;
  expect(await auth.refresh({ instance })).toEqual({ kind: "refused" });
  answer = () => Promise.reject(new Error("the identity provider is down, as asked"));
  await expect(auth.refresh({ instance })).rejects.toMatchObject({ code: "auth_unavailable" });
});
