/** Every route against everybody who should not get in. */
import { describe, expect, test } from "vitest";
import { type HttpWorld, openHttp, ownOrigin, port } from "./httpWorld.ts";

/** W3: what an anonymous caller may get besides 401 and 403, by route. */
const anonymousAnswers: Record<string, number> = {
  "GET /healthz": 200,
  "GET /readyz": 200,
  // Of this machine; see health.test.ts.
  "GET /metrics": 200,
  "GET /ws": 426,
  "GET /api/session": 200,
  "POST /api/session": 422,
  "POST /api/session/refresh": 401,
  "DELETE /api/session": 204,
  "POST /api/sign-in-codes": 401,
  "POST /api/weather": 401,
  "POST /api/:method": 401,
  "GET /openapi.json": 200,
  "GET /": 200,
  "GET /agents": 200,
  "GET /agents/*": 200,
  "GET /threads": 200,
  "GET /threads/*": 200,
  "GET /*": 404,
};

/** Routes as Fastify itself knows them: a route that is added is in the matrix before anyone thinks of it. */
function routesOf(http: HttpWorld): string[] {
  const routes: string[] = [];
  const prefixes: string[] = [];
  for (const line of http.app.printRoutes({ commonPrefix: false }).split("\n")) {
    const match =
      /^((?:[│ ] {3})*)(?:├──|└──) (\S*) \(([^)]+)\)/.exec(line) ?? /^()(?:├──|└──) (\S*) \(([^)]+)\)/.exec(line);
    if (match === null) continue;
    const depth = (match[1] ?? "").length / 4;
    prefixes.length = depth;
    prefixes[depth] = match[2] ?? "";
    const methods = (match[3] ?? "").split(", ").filter((method) => method !== "HEAD");
    routes.push(...methods.map((method) => `${method} ${prefixes.join("").replace(/(?<!\/)\*$/, "/*")}`));
  }
  return routes;
}

const urlOf = (route: string): string =>
  (route.split(" ")[1] ?? "").replace("*", "some/thing").replace(":method", "note.list");
const methodOf = (route: string): string => route.split(" ")[0] ?? "";

test("[W3] the list of routes is the list of answers below: no route is missing here", async () => {
  await using http = await openHttp();
  expect(routesOf(http).sort()).toEqual(Object.keys(anonymousAnswers).sort());
});

test("[W3] without credential every route gives its one known answer", async () => {
  await using http = await openHttp();
  for (const [route, status] of Object.entries(anonymousAnswers)) {
    const answer = await http.ask(methodOf(route), urlOf(route), methodOf(route) === "POST" ? { body: {} } : {});
    expect([route, answer.statusCode]).toEqual([route, status]);
  }
});

const everywhere = [
  ...Object.keys(anonymousAnswers),
  "GET /nothing/here",
  "GET /api/nothing",
  "POST /api/nothing",
  "PUT /",
  "GET /%zz",
  "OPTIONS /",
  "PROPFIND /",
  "TRACE /",
  "QUERY /api/session",
];

describe("foreign callers, at every route, at none, and with methods that we do not have", () => {
  test.each<[string, Record<string, string | string[]>]>([
    ["[W2] a rebound name", { host: `evil.example:${port}` }],
    ["[W2] another port", { host: "127.0.0.1:4401" }],
    ["[W2] a subdomain of localhost", { host: `evil.localhost:${port}` }],
    ["[W1] a page elsewhere", { origin: "https://evil.example" }],
    ["[W1] a page on another port", { origin: "http://127.0.0.1:3000" }],
    ["[W1] localhost is not 127.0.0.1", { origin: `http://localhost:${port}` }],
    ["[W1] a sandboxed frame", { origin: "null" }],
    ["[F23] two origins", { origin: [ownOrigin, ownOrigin] }],
  ])("%s gets 403", async (_name, headers) => {
    await using http = await openHttp("development");
    const key = await http.world.auth.operatorKey();
    for (const route of everywhere) {
      const answer = await http.ask(methodOf(route), urlOf(route), {
        headers: { ...headers, authorization: `Bearer ${key}` },
      });
      expect([route, answer.statusCode]).toEqual([route, 403]);
      expect(answer.headers["set-cookie"]).toBeUndefined();
      expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
      expect(answer.headers["content-security-policy"]).toContain("default-src 'self'");
    }
  });

  test("[AU-5] another site's script may load nothing, its link opens the page", async () => {
    await using http = await openHttp();
    const script = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" };
    for (const route of everywhere) {
      const answer = await http.app.inject({
        method: methodOf(route) as "GET",
        url: urlOf(route),
        headers: { host: `127.0.0.1:${port}`, ...script },
      });
      expect([route, answer.statusCode]).toEqual([route, 403]);
    }
    const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    expect((await http.ask("GET", "/agents/a1", { headers: link })).statusCode).toBe(200);
    expect((await http.ask("GET", "/api/session", { headers: link })).statusCode).toBe(403);
  });

  test("[security F12] a body that is not declared as JSON is never read", async () => {
    await using http = await openHttp();
    for (const type of [
      "\tapplication/json",
      " application/json",
      "text/plain",
      "application/json; charset=utf-7",
      "application/x-www-form-urlencoded",
      "application/jsonx",
    ]) {
      for (const [method, url] of [
        ["POST", "/api/session"],
        ["DELETE", "/api/session"],
        ["POST", "/api/sign-in-codes"],
        ["POST", "/nothing"],
      ] as const) {
        const answer = await http.ask(method, url, { body: '{"code":"x"}', headers: { "content-type": type } });
        expect([type, answer.statusCode]).toEqual([type, 415]);
      }
    }
    expect(http.world.asked).not.toContain("auth.redeemCode");
  });

  test("[W5] [AU-1] a credential in the address is 400, everywhere, and in no line", async () => {
    await using http = await openHttp();
    for (const url of [
      "/?token=canary",
      "/api/session?access_token=canary",
      "/ws?key=canary",
      "/nothing?TOKEN=canary",
      "/%zz?token=canary",
    ]) {
      const answer = await http.ask("GET", url);
      expect([url, answer.statusCode]).toEqual([url, 400]);
      expect(answer.body).not.toContain("canary");
    }
    expect(JSON.stringify(http.world.log)).not.toContain("canary");
  });

  test("[W6] what a client says of its own rights counts for nothing", async () => {
    await using http = await openHttp();
    const claims = {
      "x-role": "admin",
      "x-user": "owner",
      "x-forwarded-user": "owner",
      "x-forwarded-host": `127.0.0.1:${port}`,
    };
    const body = { code: "x", role: "admin", user: "owner", scopes: ["admin"], workspace: "other" };
    expect((await http.ask("GET", "/api/session", { headers: claims })).json()).toMatchObject({ user: null });
    expect((await http.ask("POST", "/api/session", { body, headers: claims })).statusCode).toBe(401);
    expect((await http.ask("POST", "/api/sign-in-codes", { body, headers: claims })).statusCode).toBe(401);
    expect((await http.ask("GET", "/", { headers: { host: "evil.example", ...claims } })).statusCode).toBe(403);
  });
});

test("[O2] [O3] every answer carries the headers, and the policy names the checked origin's sockets", async () => {
  await using http = await openHttp();
  for (const [route] of Object.entries({
    ...anonymousAnswers,
    "GET /nothing": 404,
    "GET /assets/index-Ab12.js": 200,
  })) {
    const { headers } = await http.ask(methodOf(route), urlOf(route));
    expect(headers).toMatchObject({
      "content-security-policy":
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
        `connect-src 'self' ws://127.0.0.1:${port}; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'`,
      "x-content-type-options": "nosniff",
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "no-referrer",
    });
  }
});
