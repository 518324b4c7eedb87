import type { LightMyRequestResponse } from "fastify";
import { describe, expect, test } from "vitest";
import { sessionLifeMs } from "../../src/auth/lives.ts";
import { browserCookie, type HttpWorld, openHttp, port, sessionCookie } from "./httpWorld.ts";

const owner = { id: "owner", name: "Owner", role: "admin", workspace: "default", temporary: false };

async function signIn(http: HttpWorld): Promise<string> {
  const answer = await http.ask("POST", "/api/session", { body: { code: await http.world.auth.signInCode() } });
  expect(answer.statusCode).toBe(200);
  return `${sessionCookie}=${answer.cookies.find((cookie) => cookie.name === sessionCookie)?.value}`;
}

describe("signing in and out", () => {
  test("[W4] a code gives the session cookie; with it one is the owner; signing out ends it", async () => {
    await using http = await openHttp();
    const nobody = { mode: "local", user: null, version: "0.1.0", store: "sqlite", links: true };
    expect((await http.ask("GET", "/api/session")).json()).toEqual(nobody);
    const code = await http.world.auth.signInCode();
    const answer = await http.ask("POST", "/api/session", { body: { code } });
    expect(answer.json()).toEqual({ mode: "local", user: owner, version: "0.1.0" });
    expect(answer.cookies).toEqual([
      {
        name: sessionCookie,
        value: expect.any(String),
        path: "/",
        httpOnly: true,
        sameSite: "Lax",
        maxAge: sessionLifeMs / 1000,
      },
    ]);
    const cookie = `${sessionCookie}=${answer.cookies[0]?.value}`;
    expect((await http.ask("GET", "/api/session", { cookie })).json()).toMatchObject({
      user: owner,
      features: { rollUp: true, tabSharing: false },
    });
    const out = await http.ask("DELETE", "/api/session", { cookie });
    expect([out.statusCode, out.body]).toEqual([204, ""]);
    expect(out.headers["set-cookie"]).toMatch(new RegExp(`^${sessionCookie}=; .*Expires=Thu, 01 Jan 1970`));
    expect((await http.ask("GET", "/api/session", { cookie })).json()).toMatchObject({ user: null });
    expect((await http.ask("DELETE", "/api/session", { cookie })).statusCode).toBe(204);
  });

  test("[AU-7] refreshing gives a new cookie of the same session; without one it is 401, without an Origin 403", async () => {
    await using http = await openHttp();
    const cookie = await signIn(http);
    const answer = await http.ask("POST", "/api/session/refresh", { body: {}, cookie });
    expect([answer.statusCode, answer.json()]).toEqual([200, { mode: "local", user: owner, version: "0.1.0" }]);
    expect(answer.cookies).toMatchObject([{ name: sessionCookie, httpOnly: true, maxAge: sessionLifeMs / 1000 }]);
    const renewed = `${sessionCookie}=${answer.cookies[0]?.value}`;
    expect((await http.ask("GET", "/api/session", { cookie: renewed })).json()).toMatchObject({ user: owner });
    const headers = { host: `127.0.0.1:${port}`, "content-type": "application/json", cookie };
    const foreign = await http.app.inject({ method: "POST", url: "/api/session/refresh", headers, payload: "{}" });
    expect(foreign.statusCode).toBe(403);
    // It was no rotation: signing out with the old cookie ends the session of both.
    await http.ask("DELETE", "/api/session", { cookie });
    const over = await http.ask("POST", "/api/session/refresh", { body: {}, cookie: renewed });
    expect([over.statusCode, over.json().code, over.headers["set-cookie"]]).toEqual([
      401,
      "unauthenticated",
      undefined,
    ]);
    expect((await http.ask("POST", "/api/session/refresh", { body: {} })).statusCode).toBe(401);
  });

  test("used, expired and unknown codes get one and the same answer", async () => {
    await using http = await openHttp();
    const expired = await http.world.auth.signInCode();
    await http.world.clock.advance(600_000);
    const used = await http.world.auth.signInCode();
    await http.world.auth.redeem(used);
    const answers: LightMyRequestResponse[] = [];
    for (const code of [used, expired, "never"])
      answers.push(await http.ask("POST", "/api/session", { body: { code } }));
    const problems = answers.map((answer) => {
      const { ref, ...rest } = answer.json() as Record<string, unknown>;
      expect(ref).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.headers["set-cookie"]).toBeUndefined();
      return rest;
    });
    expect(problems[0]).toMatchObject({
      type: "about:blank",
      status: 401,
      title: "Unauthorized",
      code: "unauthenticated",
      detail: expect.stringContaining("npm run sign-in"),
    });
    expect(problems[1]).toEqual(problems[0]);
    expect(problems[2]).toEqual(problems[0]);
  });

  test.each<[string, unknown]>([
    ["no body", undefined],
    ["an empty object", {}],
    ["a number", { code: 7 }],
    ["an empty code", { code: "" }],
    ["a long code", { code: "x".repeat(201) }],
    ["an array", ["x"]],
    ["a bare text", '"x"'],
  ])("[W6] %s is 422 and names the field", async (_name, body) => {
    await using http = await openHttp();
    const answer = await http.ask("POST", "/api/session", { body });
    expect([answer.statusCode, answer.json().code]).toEqual([422, "invalid_params"]);
  });

  test.each(["{", '{"code":"x"', '{"__proto__":{"code":"x"}}', '{"constructor":{"prototype":{}}}', "\u0000"])(
    "JSON that is broken or poisoned (%j) is 400",
    async (body) => {
      await using http = await openHttp();
      expect((await http.ask("POST", "/api/session", { body })).statusCode).toBe(400);
      expect(({} as Record<string, unknown>)["code"]).toBeUndefined();
    },
  );

  test("[security F12] a body over 64 KiB is 413", async () => {
    await using http = await openHttp();
    const answer = await http.ask("POST", "/api/session", { body: { code: "x".repeat(70_000) } });
    expect([answer.statusCode, answer.json().code]).toEqual([413, "too_large"]);
  });

  test("[AU-4] with the store down signing in is 503, not 401; who is signed in stays so", async () => {
    await using http = await openHttp();
    const cookie = await signIn(http);
    http.world.store = "fails";
    const answer = await http.ask("POST", "/api/session", { body: { code: "x" } });
    expect([answer.statusCode, answer.json().code]).toEqual([503, "store_unavailable"]);
    expect((await http.ask("GET", "/api/session", { cookie })).json()).toMatchObject({ user: owner });
  });

  test("[L3] a fault of ours tells the client a reference, and the log everything", async () => {
    await using http = await openHttp();
    http.world.auth.redeem = () => Promise.reject(new Error("select * from secrets at /home/me"));
    const answer = await http.ask("POST", "/api/session", { body: { code: "x" } });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toMatch(/select|secrets|home|stack/);
    const line = http.world.log.find(({ level }) => level === "error");
    expect(line?.fields).toMatchObject({
      ref: answer.json().ref,
      route: "/api/session",
      error: expect.objectContaining({ message: expect.stringContaining("select") }),
    });
  });
});

describe("[AU-5] the cookie", () => {
  test("does not count without Origin on a DELETE, and it is said", async () => {
    await using http = await openHttp();
    const cookie = await signIn(http);
    const answer = await http.app.inject({
      method: "DELETE",
      url: "/api/session",
      headers: { host: `127.0.0.1:${port}`, "content-type": "application/json", cookie },
    });
    expect(answer.statusCode).toBe(403);
    expect((await http.ask("GET", "/api/session", { cookie })).json()).toMatchObject({ user: owner });
  });

  test("of another port is not ours", async () => {
    await using http = await openHttp();
    const cookie = (await signIn(http)).replace(String(port), "4401");
    expect((await http.ask("GET", "/api/session", { cookie })).json()).toMatchObject({ user: null });
  });

  test("[AU-1] counts only where no explicit credential is given", async () => {
    await using http = await openHttp();
    const cookie = await signIn(http);
    const wrong = await http.ask("GET", "/api/session", { cookie, headers: { authorization: "Bearer hfk_wrong" } });
    expect([wrong.statusCode, wrong.json().code, wrong.headers["www-authenticate"]]).toEqual([
      401,
      "unauthenticated",
      "Bearer",
    ]);
    const two = await http.ask("GET", "/api/session", { cookie, headers: { authorization: ["Bearer a", "Bearer b"] } });
    expect([two.statusCode, two.json().code]).toEqual([400, "ambiguous_credentials"]);
    const key = await http.world.auth.agentKey("shell");
    const agent = await http.ask("GET", "/api/session", { cookie, headers: { authorization: `Bearer ${key}` } });
    expect(agent.json()).toMatchObject({ user: { name: "shell", role: "agent" } });
  });
});

describe("[AU-6] development mode", () => {
  test("announces itself and gives one temporary user to a browser's tabs", async () => {
    await using http = await openHttp("development");
    const first = await http.ask("GET", "/api/session");
    const set = first.cookies[0];
    expect(set).toMatchObject({ name: browserCookie, httpOnly: true, sameSite: "Lax", path: "/" });
    const user = { id: `dev-temp-${set?.value}`, role: "admin", temporary: true };
    expect(first.json()).toMatchObject({ mode: "development", user, version: "0.1.0" });
    const second = await http.ask("GET", "/api/session", { cookie: `${browserCookie}=${set?.value}` });
    expect(second.json()).toMatchObject({ user });
    expect(second.headers["set-cookie"]).toBeUndefined();
  });

  test("refuses a wrong explicit credential, and gives nobody codes without a key", async () => {
    await using http = await openHttp("development");
    expect((await http.ask("GET", "/api/session", { headers: { authorization: "Bearer wrong" } })).statusCode).toBe(
      401,
    );
    expect((await http.ask("POST", "/api/sign-in-codes")).statusCode).toBe(401);
  });
});

describe("sign-in codes for the command line", () => {
  test("the operator's key gets one that works; neither a session nor an agent's key does", async () => {
    await using http = await openHttp();
    const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
    const answer = await http.ask("POST", "/api/sign-in-codes", bearer(await http.world.auth.operatorKey()));
    expect(answer.json()).toEqual({ code: expect.stringMatching(/^[\w-]{22}$/), expiresIn: 600_000 });
    expect((await http.ask("POST", "/api/session", { body: { code: answer.json().code } })).statusCode).toBe(200);
    expect((await http.ask("POST", "/api/sign-in-codes", { cookie: await signIn(http) })).statusCode).toBe(401);
    expect(
      (await http.ask("POST", "/api/sign-in-codes", bearer(await http.world.auth.agentKey("shell")))).statusCode,
    ).toBe(403);
    expect((await http.ask("POST", "/api/sign-in-codes", bearer("hfk_wrong"))).statusCode).toBe(401);
  });

  test("a revoked operator's key gets none", async () => {
    await using http = await openHttp();
    const old = await http.world.auth.operatorKey();
    await http.world.auth.operatorKey();
    expect(
      (await http.ask("POST", "/api/sign-in-codes", { headers: { authorization: `Bearer ${old}` } })).statusCode,
    ).toBe(403);
  });
});

describe("[W7] guessing", () => {
  const guess = (http: HttpWorld, from: string, headers = {}) =>
    http.ask("POST", "/api/session", { body: { code: "guess" }, from, headers });

  test("ten wrong codes a minute from one address, however it is written and whatever is sent along", async () => {
    await using http = await openHttp();
    const forms = ["192.0.2.7", "::ffff:192.0.2.7"];
    for (let index = 0; index < 10; index += 1) {
      const extra = {
        "x-forwarded-for": `10.0.0.${index}`,
        forwarded: `for=10.0.0.${index}`,
        authorization: `Bearer bogus${index}`,
      };
      expect((await guess(http, forms[index % 2] ?? "", extra)).statusCode).toBe(401);
    }
    const over = await guess(http, "192.0.2.7", { "x-forwarded-for": "10.9.9.9" });
    expect([over.statusCode, over.json().code, over.headers["retry-after"]]).toEqual([429, "rate_limited", "60"]);
    expect(over.json().retryAfter).toBe(60_000);
    expect((await guess(http, "192.0.2.8")).statusCode).toBe(401);
    await http.world.clock.advance(60_000);
    expect((await guess(http, "192.0.2.7")).statusCode).toBe(401);
  });

  test("many at once count as many", async () => {
    await using http = await openHttp();
    const answers = await Promise.all(Array.from({ length: 30 }, () => guess(http, "192.0.2.7")));
    expect(answers.filter((answer) => answer.statusCode === 401)).toHaveLength(10);
    expect(http.world.asked.filter((task) => task === "auth.redeemCode")).toHaveLength(10);
  });

  test("right ones and a store that is down are not counted", async () => {
    await using http = await openHttp();
    for (let index = 0; index < 12; index += 1) await signIn(http);
    http.world.store = "fails";
    for (let index = 0; index < 12; index += 1)
      expect((await http.ask("POST", "/api/session", { body: { code: "x" } })).statusCode).toBe(503);
  });
});

test("[L2] [F04] through every route with canaries, no line holds one and none is above info", async () => {
  await using http = await openHttp();
  const code = await http.world.auth.signInCode();
  const cookie = await signIn(http);
  const key = await http.world.auth.operatorKey();
  const canaries = [code, cookie.slice(cookie.indexOf("=") + 1), key, "canary"];
  for (const authorization of [`Bearer ${key}`, "Bearer canary", "Basic canary"]) {
    for (const [method, url] of [
      ["GET", "/api/session"],
      ["POST", "/api/session"],
      ["POST", "/api/sign-in-codes"],
      ["GET", "/canary"],
      ["GET", "/?a=canary"],
      ["DELETE", "/api/session"],
    ] as const) {
      const answer = await http.ask(method, url, {
        body: method === "POST" ? { code: "canary" } : undefined,
        cookie,
        headers: { authorization, "sec-websocket-protocol": "holdfast.v1, bearer.canary" },
      });
      if (answer.statusCode >= 400) for (const canary of canaries) expect(answer.body).not.toContain(canary);
    }
  }
  await http.ask("POST", "/api/session", { body: { code } });
  const written = JSON.stringify(http.world.log);
  expect(http.world.log.length).toBeGreaterThan(5);
  for (const canary of canaries) expect(written).not.toContain(canary);
  expect(http.world.log.filter((line) => line.level === "warn" || line.level === "error")).toEqual([]);
});
