import { describe, expect, test } from "vitest";
import { hostOriginSettings, isPagePath, type JudgedRequest, judgeRequest } from "../../src/auth/hostOrigin.ts";

const pagePaths = ["/", "/agents", "/agents/*", "/threads", "/threads/*"];
const settings = hostOriginSettings({ port: 4400, origins: ["http://LOCALHOST:5173/"], pagePaths });
const behindProxy = hostOriginSettings({ port: 4400, publicUrl: "https://Fleet.example.com", origins: [] });

const host = ["Host", "127.0.0.1:4400"];
const json = ["Content-Type", "application/json"];
const ask = (headers: readonly string[], other: Partial<JudgedRequest> = {}) =>
  judgeRequest({ method: "GET", url: "/api/session", headers, encrypted: false, ...other }, settings);
const origin = (value: string) => ask([...host, "Origin", value]);

describe("Host", () => {
  test.each([
    ["127.0.0.1:4400", "http://127.0.0.1:4400"],
    ["127.255.0.9:4400", "http://127.255.0.9:4400"],
    ["localhost:4400", "http://localhost:4400"],
    ["LocalHost:4400", "http://localhost:4400"],
    ["[::1]:4400", "http://[::1]:4400"],
  ])("[W2] [AU-5] %s is ours, and is the own origin", (value, ownOrigin) => {
    expect(ask(["Host", value])).toEqual({ ok: true, ownOrigin, cookieCounts: true });
  });

  test.each([
    "evil.example",
    "evil.example:4400",
    "127.0.0.1.evil.example:4400",
    "localhost.evil.example:4400",
    "evil.localhost:4400",
    "localhost.:4400",
    "127.0.0.1:4401",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:04400",
    "127.0.0.1:4400:4400",
    "127.0.0.1:4400@evil.example",
    "user@127.0.0.1:4400",
    "127.0.0.1:4400, evil.example",
    "127.0.0.1:4400/",
    " 127.0.0.1:4400",
    "127.0.0.1:4400\n",
    "127.0.0.01:4400",
    "0177.0.0.1:4400",
    "127.1:4400",
    "2130706433:4400",
    "0x7f.0.0.1:4400",
    "127.0.0.256:4400",
    "128.0.0.1:4400",
    "0.0.0.0:4400",
    "[::]:4400",
    "::1:4400",
    "[::ffff:127.0.0.1]:4400",
    "[0:0:0:0:0:0:0:1]:4400",
    "[::1%lo]:4400",
    "",
  ])("[W2] [AU-5] %j is refused", (value) => {
    expect(ask(["Host", value])).toMatchObject({ ok: false, status: 403 });
  });

  test("[AU-5] an absent Host and two of them are refused, also two equal ones", () => {
    expect(ask([])).toMatchObject({ ok: false, status: 403 });
    expect(ask([...host, ...host])).toMatchObject({ ok: false, status: 403 });
    expect(ask([...host, "host", "evil.example"])).toMatchObject({ ok: false, status: 403 });
  });

  test.each([
    "http://127.0.0.1:4400/",
    "http://evil.example/api/session",
    "//evil.example/",
    "/\\evil.example",
    "*",
    "evil.example:443",
    "",
  ])("[W2] the request target %j is not a path, whatever Host says", (url) => {
    expect(ask(host, { url })).toMatchObject({ ok: false, status: 403 });
  });

  test("[AU-5] a port may be left out where it is the scheme's own", () => {
    const standard = hostOriginSettings({ port: 80, origins: [] });
    const judge = (value: string, encrypted: boolean) =>
      judgeRequest({ method: "GET", url: "/", headers: ["Host", value], encrypted }, standard);
    expect(judge("localhost", false)).toMatchObject({ ok: true, ownOrigin: "http://localhost" });
    expect(judge("localhost:80", false)).toMatchObject({ ok: true, ownOrigin: "http://localhost" });
    expect(judge("localhost", true)).toMatchObject({ ok: false });
  });

  test("[AU-5] publicUrl's host is ours and its origin the own one, by whichever Host one comes", () => {
    const judge = (value: string, ...more: string[]) =>
      judgeRequest({ method: "GET", url: "/", headers: ["Host", value, ...more], encrypted: false }, behindProxy);
    const own = { ok: true, ownOrigin: "https://fleet.example.com" };
    expect(judge("fleet.example.com")).toMatchObject(own);
    expect(judge("FLEET.example.com:443")).toMatchObject(own);
    expect(judge("127.0.0.1:4400")).toMatchObject(own);
    expect(judge("fleet.example.com", "Origin", "https://fleet.example.com")).toMatchObject(own);
    for (const foreign of ["fleet.example.com:80", "fleet.example.com:4400", "xfleet.example.com", "example.com"]) {
      expect(judge(foreign)).toMatchObject({ ok: false, status: 403 });
    }
    for (const foreign of [
      "http://fleet.example.com",
      "http://127.0.0.1:4400",
      "https://fleet.example.com.evil.example",
    ]) {
      expect(judge("fleet.example.com", "Origin", foreign)).toMatchObject({ ok: false, status: 403 });
    }
  });
});

describe("Origin", () => {
  test("[W1] [AU-5] absent, own and configured origins may, and their cookie counts", () => {
    for (const headers of [
      host,
      [...host, "Origin", "http://127.0.0.1:4400"],
      [...host, "Origin", "http://localhost:5173"],
    ]) {
      expect(ask(headers)).toMatchObject({ ok: true, ownOrigin: "http://127.0.0.1:4400", cookieCounts: true });
    }
  });

  test.each([
    "null",
    "NULL",
    "",
    "https://127.0.0.1:4400",
    "http://127.0.0.1:4401",
    "http://127.0.0.1",
    "http://localhost:4400",
    "http://[::1]:4400",
    "HTTP://127.0.0.1:4400",
    "http://127.0.0.1:4400/",
    "http://127.0.0.1:4400.evil.example",
    "http://evil.example/http://127.0.0.1:4400",
    "http://evil.localhost:4400",
    "http://localhost:51730",
    "http://localhost:517",
    "http://user@127.0.0.1:4400",
    "http://127.0.0.1:4400, http://evil.example",
    "https://app.example.com.evil.tld",
    "file://",
    "chrome-extension://abcdefgh",
    "*",
  ])("[W1] [AU-5] %j is refused", (value) => {
    expect(origin(value)).toMatchObject({ ok: false, status: 403 });
  });

  test("[F23] several Origin headers are refused, even when each alone may", () => {
    const own = ["Origin", "http://127.0.0.1:4400"];
    expect(ask([...host, ...own, ...own])).toMatchObject({ ok: false, status: 403 });
    expect(ask([...host, ...own, "origin", "http://evil.example"])).toMatchObject({ ok: false, status: 403 });
  });

  test("[W1] the own origin follows the checked Host: localhost is not 127.0.0.1", () => {
    expect(ask(["Host", "localhost:4400", "Origin", "http://localhost:4400"])).toMatchObject({ ok: true });
    expect(ask(["Host", "localhost:4400", "Origin", "http://127.0.0.1:4400"])).toMatchObject({ ok: false });
  });

  test("[F23] the configured list is normalised once; what is no origin is refused at start, by name", () => {
    expect(settings.origins).toEqual(["http://localhost:5173"]);
    for (const wrong of [
      "null",
      "*",
      "localhost:5173",
      "http://a.example/path",
      "file:///x",
      "http://u@a.example",
      "",
    ]) {
      expect(() => hostOriginSettings({ port: 1, origins: [wrong] })).toThrow(JSON.stringify(wrong));
    }
    expect(() => hostOriginSettings({ port: 1, publicUrl: "nowhere", origins: [] })).toThrow(/publicUrl: "nowhere"/);
  });

  test("[W1] a reason names the offending value, cut short", () => {
    const judged = origin(`http://${"e".repeat(5000)}.example`);
    expect(judged).toMatchObject({ ok: false, reason: expect.stringContaining("eee") });
    expect(JSON.stringify(judged).length).toBeLessThan(500);
  });
});

describe("Sec-Fetch-Site", () => {
  const crossSite = [...host, "Sec-Fetch-Site", "cross-site"];
  const link = [...crossSite, "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"];

  test("[AU-5] [W2] another site's request without an allowed Origin is refused", () => {
    expect(ask(crossSite)).toMatchObject({ ok: false, status: 403 });
    expect(ask([...host, "Sec-Fetch-Site", "Cross-Site"])).toMatchObject({ ok: false });
    expect(ask([...host, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site"])).toMatchObject({
      ok: false,
    });
    expect(ask([...crossSite, "Origin", "http://localhost:5173"])).toMatchObject({ ok: true });
    for (const site of ["same-origin", "same-site", "none"])
      expect(ask([...host, "Sec-Fetch-Site", site])).toMatchObject({ ok: true });
  });

  test("[AU-5] except a link that the top window follows to a page", () => {
    for (const url of ["/", "/?a=b", "/agents/a1", "/threads/t1#x"])
      expect(ask(link, { url })).toMatchObject({ ok: true });
    for (const url of [
      "/api/session",
      "/ws",
      "/healthz",
      "/assets/index.js",
      "/agentsx",
      "/api/session?/agents/",
      "/api/session#/agents/",
    ]) {
      expect(ask(link, { url })).toMatchObject({ ok: false, status: 403 });
    }
  });

  test("[AU-5] and that is a GET, in the top window, not a frame", () => {
    const page = { url: "/" };
    expect(ask([...link, ...json], { ...page, method: "POST" })).toMatchObject({ ok: false });
    expect(ask(link, { ...page, method: "HEAD" })).toMatchObject({ ok: false });
    const other = (mode: string, dest: string) =>
      ask([...crossSite, "Sec-Fetch-Mode", mode, "Sec-Fetch-Dest", dest], page);
    expect(other("navigate", "iframe")).toMatchObject({ ok: false });
    expect(other("no-cors", "document")).toMatchObject({ ok: false });
    expect(ask(crossSite, page)).toMatchObject({ ok: false });
  });

  test("[AU-5] pages are the app's own addresses, nothing below or beside them", () => {
    for (const path of ["/", "/agents", "/agents/", "/agents/x/y", "/threads/1"])
      expect(isPagePath(path, pagePaths)).toBe(true);
    for (const path of ["", "/ws", "/api", "/index.html", "/agents.json", "/x/agents/1", "/AGENTS/1"])
      expect(isPagePath(path, pagePaths)).toBe(false);
  });
});

describe("cookies and bodies", () => {
  test("[AU-5] a cookie counts with an allowed Origin, or without one on GET and HEAD", () => {
    const own = ["Origin", "http://127.0.0.1:4400"];
    expect(ask(host, { method: "HEAD" })).toMatchObject({ cookieCounts: true });
    expect(ask([...host, ...json], { method: "POST" })).toMatchObject({ ok: true, cookieCounts: false });
    expect(ask([...host, ...json, ...own], { method: "POST" })).toMatchObject({ ok: true, cookieCounts: true });
    expect(ask([...host, ...json], { method: "DELETE" })).toMatchObject({ ok: true, cookieCounts: false });
  });

  test.each([
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    'application/json; charset="utf-8"',
  ])("[security F12] [AU-5] %j is JSON", (type) => {
    expect(ask([...host, "Content-Type", type], { method: "POST" })).toMatchObject({ ok: true });
  });

  test.each([
    "\tapplication/json",
    " application/json",
    "application/json ",
    "application/json\t",
    "application/json;",
    "application/json; charset=utf-7",
    "application/json; charset=utf-16",
    "application/json; charset=utf-8; charset=utf-7",
    "application/json;charset=utf-8,text/plain",
    "application/json, text/plain",
    "application/jsonx",
    "application/json/x",
    "application/problem+json",
    "text/plain; application/json",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=application/json",
    "",
  ])("[security F12] [AU-5] %j is not", (type) => {
    expect(ask([...host, "Content-Type", type], { method: "POST" })).toMatchObject({ ok: false, status: 415 });
  });

  test("[security F12] none, and two of them, are not; every method but GET and HEAD is asked", () => {
    expect(ask(host, { method: "POST" })).toMatchObject({ ok: false, status: 415 });
    expect(ask([...host, ...json, ...json], { method: "POST" })).toMatchObject({ ok: false, status: 415 });
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "get"]) {
      expect(ask(host, { method })).toMatchObject({ ok: false, status: 415 });
    }
  });
});
