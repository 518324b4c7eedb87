import { describe, expect, test } from "vitest";
import { authorizationTokens, hasTokenInQuery, readUpgradeCredentials } from "../../src/auth/explicitCredentials.ts";
import { hostOriginSettings } from "../../src/auth/hostOrigin.ts";
import { judgeUpgrade } from "../../src/auth/upgrade.ts";

const read = (...headers: string[]) => readUpgradeCredentials(headers, "/ws");
const offer = (value: string) => read("Sec-WebSocket-Protocol", value);

describe("readUpgradeCredentials", () => {
  test("[AU-1] Bearer, and bearer.<t> beside the subprotocol, are explicit", () => {
    expect(read()).toEqual({ kind: "read" });
    expect(read("Authorization", "Bearer hfk_a.b.c")).toEqual({ kind: "read", token: "hfk_a.b.c" });
    expect(read("authorization", "bearer  x")).toEqual({ kind: "read", token: "x" });
    expect(offer("holdfast.v1, bearer.hfk_a.b.c")).toEqual({
      kind: "read",
      token: "hfk_a.b.c",
      subprotocol: "holdfast.v1",
    });
    expect(offer("bearer.x,holdfast.v1")).toEqual({ kind: "read", token: "x", subprotocol: "holdfast.v1" });
    expect(read("Sec-WebSocket-Protocol", "bearer.x", "Sec-WebSocket-Protocol", "holdfast.v1")).toMatchObject({
      token: "x",
    });
  });

  test("[AU-1] the same credential twice is one; two different ones are ambiguous", () => {
    const both = ["Sec-WebSocket-Protocol", "holdfast.v1, bearer.x", "Authorization"];
    expect(read(...both, "Bearer x")).toEqual({ kind: "read", token: "x", subprotocol: "holdfast.v1" });
    expect(read(...both, "Bearer y")).toEqual({ kind: "ambiguous", subprotocol: "holdfast.v1" });
    expect(read("Authorization", "Bearer x", "Authorization", "Bearer y")).toEqual({ kind: "ambiguous" });
    expect(offer("holdfast.v1, bearer.x, bearer.y")).toEqual({ kind: "ambiguous", subprotocol: "holdfast.v1" });
  });

  test.each(["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Bearer a b", "Bearer a, Bearer b", "hfk_x", ""])(
    "[AU-1] Authorization %j states a credential that cannot be one: judged and refused, not overlooked",
    (value) => {
      expect(authorizationTokens(["Authorization", value])).toEqual([""]);
      expect(read("Authorization", value)).toEqual({ kind: "read", token: "" });
    },
  );

  test.each([
    "/ws?token=x",
    "/ws?access_token=x",
    "/ws?key=x",
    "/ws?api_key=x",
    "/ws?a=b&token=",
    "/ws?TOKEN=x",
    "/ws?%74oken=x",
    "/ws?token",
    "/ws?+token=x",
    "/ws?apikey=x",
    "/ws?access-token=x",
    "/ws?refreshToken=x",
    "/ws?jwt=x",
    "/ws?Authorization=Bearer+x",
  ])("[AU-1] [W5] %s holds a credential: 400", (url) => {
    expect(hasTokenInQuery(url)).toBe(true);
    expect(readUpgradeCredentials([], url)).toMatchObject({ kind: "refused", status: 400 });
  });

  test.each([
    "/ws?session=hfk_abc.def.ghi",
    "/ws?x=eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln",
    "/ws?x=%20bearer%20eyJhbGciOiJub25lIn0.e30.",
  ])("[AU-1] [W5] %s holds one by its shape, whatever it is called: 400", (url) => {
    expect(readUpgradeCredentials([], url)).toMatchObject({ kind: "refused", status: 400 });
  });

  test("[AU-1] other queries do not", () => {
    // A provider's answer: its code may have any shape.
    expect(hasTokenInQuery("/auth/oidc/callback?state=x&code=eyJhbGciOiJub25lIn0.e30.x&session_state=y")).toBe(false);
    for (const url of ["/ws", "/ws?", "/ws?a=token", "/ws?tokens=x", "/token=x", "/ws?a=%zz"])
      expect(hasTokenInQuery(url)).toBe(false);
  });

  test.each(["holdfast.v2", "bearer.x", "Holdfast.v1", "graphql-ws", "holdfast.v1.evil", "holdfast"])(
    "[TR-2] [W9] %s without holdfast.v1: 400",
    (value) => {
      expect(offer(value)).toMatchObject({ kind: "refused", status: 400 });
    },
  );

  test.each([
    "",
    ",",
    "holdfast.v1,",
    "holdfast.v1,,bearer.x",
    "holdfast.v1, holdfast.v1",
    "holdfast.v1, a b",
    'holdfast.v1, "x"',
    "holdfast.v1, ü",
  ])("[TR-2] [W9] %j is no list of names: 400", (value) => {
    expect(offer(value)).toMatchObject({ kind: "refused", status: 400 });
  });

  test("[TR-2] others beside it are not echoed", () => {
    expect(offer("chat, holdfast.v1, superchat")).toEqual({ kind: "read", subprotocol: "holdfast.v1" });
  });

  test("[T8] [L2] no reason repeats a credential", () => {
    const canary = "hfk_canary";
    const refusals = [
      readUpgradeCredentials([], `/ws?token=${canary}`),
      offer(`bearer.${canary}`),
      offer(`holdfast.v1, bearer.${canary}, bearer.${canary}`),
    ];
    expect(refusals.map((refusal) => refusal.kind)).toEqual(["refused", "refused", "refused"]);
    expect(JSON.stringify(refusals)).not.toContain(canary);
  });
});

describe("judgeUpgrade", () => {
  const settings = hostOriginSettings({ port: 4400, origins: [] });
  const browser = "0190a1b2-0000-7000-8000-000000000000";
  const cookies = [
    "Cookie",
    `holdfast_session_4400=abc; holdfast_session_4401=other; holdfast_browser_4400=${browser}`,
  ];
  const judge = (...headers: string[]) =>
    judgeUpgrade(
      { method: "GET", url: "/ws", headers: ["Host", "127.0.0.1:4400", ...headers], encrypted: false },
      settings,
    );

  test("[AU-1] takes the cookies of this port, and the explicit credential beside them", () => {
    expect(
      judge(...cookies, "Origin", "http://127.0.0.1:4400", "Sec-WebSocket-Protocol", "holdfast.v1, bearer.x"),
    ).toEqual({
      kind: "accepted",
      subprotocol: "holdfast.v1",
      ambiguous: false,
      credentials: { token: "x", cookie: "abc", browser, cookies: cookies[1] },
    });
    expect(judge()).toEqual({ kind: "accepted", ambiguous: false, credentials: {} });
  });

  test("[W2] a foreign page with our cookies is refused before they are read", () => {
    expect(judge(...cookies, "Origin", "http://evil.localhost:4400")).toMatchObject({ kind: "refused", status: 403 });
    expect(judge(...cookies, "Origin", "null")).toMatchObject({ kind: "refused", status: 403 });
  });

  test("[AU-6] a browser id that we cannot have set is none", () => {
    expect(judge("Cookie", "holdfast_browser_4400=admin; holdfast_session_4400=")).toEqual({
      kind: "accepted",
      ambiguous: false,
      credentials: { cookies: "holdfast_browser_4400=admin; holdfast_session_4400=" },
    });
  });

  test("[AU-1] ambiguous ones are told, and neither is used", () => {
    expect(judge("Authorization", "Bearer a", "Authorization", "Bearer b")).toEqual({
      kind: "accepted",
      ambiguous: true,
      credentials: {},
    });
  });
});
