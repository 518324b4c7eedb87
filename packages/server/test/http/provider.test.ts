/**
 * Signing in at a provider's page, end to end over HTTP: a real provider on loopback, a browser's steps by hand.
 *
 * Seen red: without `state`, `nonce`, `azp`, the verifier, RFC 9207's `iss`, the ticket's signature, end or provider; with
 * any page to return to, any path as a callback, attempts without end, a discovery of another issuer or in the clear.
 */
import { describe, expect, test } from "vitest";
import { fetchProvider } from "../../src/auth/issuers/fetchProvider.ts";
import { failureRestMs } from "../../src/auth/issuers/remoteDocument.ts";
import { createCodeFlow } from "../../src/auth/oidc/codeFlow.ts";
import { type OidcOptions, oidcSettingsOf } from "../../src/auth/oidc/settings.ts";
import { ticketLifeMs } from "../../src/auth/oidc/ticket.ts";
import { type IdentityProvider, startIdentityProvider } from "../support/identityProvider.ts";
import { type HttpWorld, openHttp, ownOrigin, port, sessionCookie } from "./httpWorld.ts";

const ticketCookie = `holdfast_sign_in_${port}`;
/** As a browser marks a person's return from another site. */
const navigation = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

interface Door extends AsyncDisposable {
  readonly http: HttpWorld;
  readonly provider: IdentityProvider;
  /** The page's button: where it sends the browser, and the ticket that the browser keeps. */
  begin(query?: string): Promise<{ readonly location: string; readonly ticket: string }>;
  /** The provider's page: where it sends the browser back to, as a path of ours. */
  visit(location: string): Promise<string>;
  back(path: string, ticket: string | undefined): ReturnType<HttpWorld["ask"]>;
  /** All of it: the answer to the provider's redirect. */
  signIn(query?: string): ReturnType<HttpWorld["ask"]>;
}

async function openDoor(options: Partial<OidcOptions> = {}, secret?: string): Promise<Door> {
  let now = (): number => 0;
  const provider = await startIdentityProvider({ now: () => now(), ...(secret === undefined ? {} : { secret }) });
  const known = { issuer: provider.url, clientId: provider.client.id, id: "kelp", name: "Kelp ID" };
  const settings = oidcSettingsOf([
    { ...known, ...(secret === undefined ? {} : { clientSecret: secret }), ...options },
    { ...known, id: "other", name: "Other" },
  ]);
  const http = await openHttp("local", false, ({ clock, random, logger: log }) => {
    now = () => clock.now();
    return [...settings.values()].map((one) => createCodeFlow(one, { ask: fetchProvider, clock, random, log }));
  });
  const door: Door = {
    http,
    provider,
    async begin(query = "") {
      const answer = await http.ask("GET", `/auth/kelp/start${query}`);
      expect(answer.statusCode).toBe(303);
      const ticket = answer.cookies.find(({ name }) => name === ticketCookie)?.value ?? "";
      return { location: answer.headers.location ?? "", ticket };
    },
    async visit(location) {
      const answer = await fetch(location, { redirect: "manual" });
      const back = new URL(answer.headers.get("location") ?? "");
      expect(back.origin).toBe(ownOrigin);
      return back.pathname + back.search;
    },
    back: (path, ticket) =>
      http.ask("GET", path, {
        headers: navigation,
        ...(ticket === undefined ? {} : { cookie: `${ticketCookie}=${ticket}` }),
      }),
    async signIn(query) {
      const { location, ticket } = await door.begin(query);
      return door.back(await door.visit(location), ticket);
    },
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]();
      await http[Symbol.asyncDispose]();
    },
  };
  return door;
}

const told = (answer: Awaited<ReturnType<HttpWorld["ask"]>>): unknown => {
  expect(answer.cookies.filter(({ name }) => name === sessionCookie)).toEqual([]);
  return [answer.statusCode, answer.headers.location];
};

describe("signing in at a provider", () => {
  test.each([undefined, "a secret of this client: ä/+"])(
    "[AU-5] ends in a session of that person, on the page that was asked for (client secret: %s)",
    async (secret) => {
      await using door = await openDoor({ role: "operator" }, secret);
      const answer = await door.signIn("?return=/threads/0199-abc");
      expect([answer.statusCode, answer.headers.location]).toEqual([303, "/threads/0199-abc"]);
      const cookie = answer.cookies.find(({ name }) => name === sessionCookie);
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
      const session = await door.http.ask("GET", "/api/session", { cookie: `${sessionCookie}=${cookie?.value}` });
      expect(session.json()).toMatchObject({ user: { name: "Ada", role: "operator", temporary: false } });
      // One person, whichever way: by the same issuer's token too. And not one line above info.
      expect(door.http.world.log.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
    },
  );

  test("the page learns of each by GET /api/session, as a link with a name", async () => {
    await using door = await openDoor();
    expect((await door.http.ask("GET", "/api/session")).json()).toMatchObject({
      user: null,
      providers: [
        { name: "Kelp ID", start: "/auth/kelp/start" },
        { name: "Other", start: "/auth/other/start" },
      ],
    });
  });

  test("asks for what it needs and no more: a code, PKCE by S256, state and nonce that are new each time", async () => {
    await using door = await openDoor();
    const [first, second] = [await door.begin(), await door.begin()];
    const query = new URL(first.location).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      response_type: "code",
      client_id: "holdfast-test",
      redirect_uri: `${ownOrigin}/auth/kelp/callback`,
      scope: "openid profile email",
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
    const again = new URL(second.location).searchParams;
    for (const name of ["state", "nonce", "code_challenge"]) expect(again.get(name)).not.toBe(query.get(name));
  });

  test("[AU-5] afterwards only a page of ours is opened", async () => {
    await using door = await openDoor();
    for (const path of [
      "//evil.example",
      "https://evil.example",
      "/\\evil.example",
      "/api/session",
      "/threads/../api",
      "",
    ])
      expect((await door.signIn(`?return=${encodeURIComponent(path)}`)).headers.location, path).toBe("/");
  });
});

describe("[AU-5] an answer counts for the browser that asked, and for nobody else", () => {
  test("without its ticket, with another's, with a changed one or too late it signs nobody in", async () => {
    await using door = await openDoor();
    const [mine, theirs] = [await door.begin(), await door.begin()];
    const path = await door.visit(theirs.location);
    const changed = `${Buffer.from('{"provider":"kelp"}').toString("base64url")}.${theirs.ticket.split(".")[1]}`;
    for (const ticket of [undefined, mine.ticket, changed, `${theirs.ticket}x`, "", "a.b.c", "x".repeat(9_000)])
      expect(told(await door.back(path, ticket)), ticket).toEqual([303, "/?sign-in=expired"]);
    await door.http.world.clock.advance(60_000);
    expect(told(await door.back(path.replace("kelp", "other"), theirs.ticket))).toEqual([303, "/?sign-in=expired"]);
    expect(told(await door.back(`${path}&state=x`, theirs.ticket))).toEqual([303, "/?sign-in=expired"]);
    expect(told(await door.back(`${path}&iss=https://evil.example`, theirs.ticket))).toEqual([
      303,
      "/?sign-in=expired",
    ]);
    expect(door.provider.asked.get("/token")).toBeUndefined();
    expect((await door.back(path, theirs.ticket)).headers.location).toBe("/");
    const late = await door.begin();
    const latePath = await door.visit(late.location);
    await door.http.world.clock.advance(ticketLifeMs);
    expect(told(await door.back(latePath, late.ticket))).toEqual([303, "/?sign-in=expired"]);
  });

  test("[W4] a code works once, and a stolen one not without its verifier", async () => {
    await using door = await openDoor();
    const { location, ticket } = await door.begin();
    const path = await door.visit(location);
    expect((await door.back(path, ticket)).headers.location).toBe("/");
    expect(told(await door.back(path, ticket))).toEqual([303, "/?sign-in=refused"]);
    const [victim, thief] = [await door.begin(), await door.begin()];
    const stolen = new URLSearchParams((await door.visit(victim.location)).split("?")[1]).get("code");
    const own = new URLSearchParams((await door.visit(thief.location)).split("?")[1]);
    const query = new URLSearchParams({ code: stolen ?? "", state: own.get("state") ?? "" });
    expect(told(await door.back(`/auth/kelp/callback?${query}`, thief.ticket))).toEqual([303, "/?sign-in=refused"]);
  });

  test("a start that another site asks for is refused, and so is a callback in a frame", async () => {
    await using door = await openDoor();
    expect((await door.http.ask("GET", "/auth/kelp/start", { headers: navigation })).statusCode).toBe(403);
    const { location, ticket } = await door.begin();
    const path = await door.visit(location);
    const framed = { ...navigation, "sec-fetch-dest": "iframe" };
    const cookie = `${ticketCookie}=${ticket}`;
    expect((await door.http.ask("GET", path, { headers: framed, cookie })).statusCode).toBe(403);
  });
});

describe("an id token that does not hold signs nobody in", () => {
  test.each<[string, Record<string, unknown>]>([
    ["another audience", { aud: "another-client" }],
    ["another nonce", { nonce: "another" }],
    ["no nonce", { nonce: undefined }],
    ["several audiences without the authorised party", { aud: ["holdfast-test", "another"] }],
    ["another authorised party", { azp: "another" }],
    ["another issuer", { iss: "https://evil.example" }],
    ["an end long ago", { exp: 1 }],
    ["nobody", { sub: undefined }],
  ])("%s", async (_what, claims) => {
    await using door = await openDoor();
    door.provider.idClaims = claims;
    expect(told(await door.signIn())).toEqual([303, "/?sign-in=refused"]);
  });

  test("of another key: it is of nobody we know, until the key set says otherwise", async () => {
    await using door = await openDoor();
    await door.signIn();
    await door.provider.rotate();
    expect((await door.signIn()).headers.location).toBe("/");
  });
});

describe("what a person is told", () => {
  test("that they said no, or that the provider did", async () => {
    await using door = await openDoor();
    door.provider.denial = "access_denied";
    expect(told(await door.signIn())).toEqual([303, "/?sign-in=denied"]);
    door.provider.denial = "server_error<script>";
    expect(told(await door.signIn())).toEqual([303, "/?sign-in=refused"]);
  });

  test("[AU-4] that the provider does not answer, at the start and at the end; and it is left alone for 10 s", async () => {
    await using door = await openDoor();
    door.provider.fault = "500";
    const answer = await door.http.ask("GET", "/auth/kelp/start");
    expect(told(answer)).toEqual([303, "/?sign-in=unreachable"]);
    door.provider.fault = undefined;
    expect(told(await door.http.ask("GET", "/auth/kelp/start"))).toEqual([303, "/?sign-in=unreachable"]);
    await door.http.world.clock.advance(failureRestMs);
    const { location, ticket } = await door.begin();
    const path = await door.visit(location);
    door.provider.fault = "garbage";
    expect(told(await door.back(path, ticket))).toEqual([303, "/?sign-in=unreachable"]);
    const warned = door.http.world.log.filter(({ level }) => level === "warn");
    expect(warned.map(({ fields }) => fields?.["document"])).toEqual(["discovery", "token endpoint"]);
  });

  test.each<[string, Record<string, unknown>]>([
    ["of another issuer", { issuer: "https://evil.example" }],
    ["with its page in the clear", { authorization_endpoint: "http://id.example.org/authorise" }],
    ["with its page as a script", { authorization_endpoint: "javascript:alert(1)" }],
    ["without a token endpoint", { token_endpoint: undefined }],
    ["with keys in the clear", { jwks_uri: "http://169.254.169.254/keys" }],
  ])(
    "[AU-5] that it does not answer, where its discovery is one %s: nobody is sent there",
    async (_what, discovery) => {
      await using door = await openDoor();
      door.provider.discovery = discovery;
      expect(told(await door.http.ask("GET", "/auth/kelp/start"))).toEqual([303, "/?sign-in=unreachable"]);
      expect(door.http.world.log.map(({ event }) => event)).toEqual(["auth.provider_away"]);
    },
  );

  test("that the store is away; their code is not wasted on it twice", async () => {
    await using door = await openDoor();
    const { location, ticket } = await door.begin();
    const path = await door.visit(location);
    door.http.world.store = "fails";
    expect(told(await door.back(path, ticket))).toEqual([303, "/?sign-in=unavailable"]);
  });

  test("that too many answers from here did not hold: 10 a minute are judged", async () => {
    await using door = await openDoor();
    for (let count = 0; count < 10; count += 1)
      expect(told(await door.back("/auth/kelp/callback?state=x&code=y", undefined))).toEqual([
        303,
        "/?sign-in=expired",
      ]);
    expect(told(await door.back("/auth/kelp/callback?state=x&code=y", undefined))).toEqual([303, "/?sign-in=crowded"]);
    await door.http.world.clock.advance(60_000);
    expect((await door.signIn()).headers.location).toBe("/");
  });

  test("that the provider does not take this client: an operator reads it in the log", async () => {
    await using door = await openDoor({ clientSecret: "not what the provider knows" }, "what the provider knows");
    expect(told(await door.signIn())).toEqual([303, "/?sign-in=refused"]);
    expect(door.http.world.log.map(({ level, event }) => `${level} ${event}`)).toEqual([
      "warn auth.client_refused",
      "info auth.provider_sign_in_failed",
    ]);
  });

  test("and nothing of code, state, verifier or token is in the log, whatever happened", async () => {
    await using door = await openDoor({}, "canary-secret");
    const { location, ticket } = await door.begin();
    const path = await door.visit(location);
    await door.back(path, ticket);
    door.provider.idClaims = { aud: "canary-audience", name: "canary-name" };
    await door.signIn();
    const secrets = [...new URLSearchParams(path.split("?")[1]).values(), ticket, "canary"];
    const text = JSON.stringify(door.http.world.log);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });
});

test("settings that cannot be right are refused at start, each in one sentence", () => {
  const right = { id: "kelp", name: "Kelp ID", issuer: "https://id.example.org", clientId: "holdfast" };
  const wrong: readonly [Partial<OidcOptions>, RegExp][] = [
    [{ id: "Kelp ID" }, /^providers: the id "Kelp ID" stands in addresses/],
    [{ id: "../x" }, /stands in addresses/],
    [{ name: " " }, /the name of "kelp"/],
    [{ clientId: "" }, /has no clientId/],
    [{ issuer: "http://id.example.org" }, /issuer of "kelp" is "http:\/\/id\.example\.org"; give an https/],
    [{ issuer: "https://id.example.org/?x=1" }, /without a query/],
    [{ scopes: ["profile"] }, /lack openid/],
  ];
  for (const [options, sentence] of wrong) expect(() => oidcSettingsOf([{ ...right, ...options }])).toThrow(sentence);
  expect(() => oidcSettingsOf([right, right])).toThrow(/named twice/);
});
