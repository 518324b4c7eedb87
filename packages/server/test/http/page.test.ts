import { expect, test } from "vitest";
import { openHttp } from "./httpWorld.ts";

test("every address of the app is the page, and it is never kept", async () => {
  await using http = await openHttp();
  for (const url of ["/", "/?x=1", "/agents", "/agents/a1/b", "/threads/t1", "/index.html"]) {
    const answer = await http.ask("GET", url);
    expect([url, answer.statusCode, answer.headers["cache-control"]]).toEqual([url, 200, "no-store"]);
    expect(answer.headers["content-type"]).toMatch(/^text\/html/);
    expect(answer.body).toContain("<title>Holdfast</title>");
  }
});

test("a mistyped address is the page for a person, with 404, and a problem for a program", async () => {
  await using http = await openHttp();
  const browser = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
  for (const url of ["/threds/t1", "/nothing?x=1", "/a/b/c"]) {
    const page = await http.ask("GET", url, { headers: browser });
    expect([url, page.statusCode, page.headers["cache-control"]]).toEqual([url, 404, "no-store"]);
    expect(page.body).toContain("<title>Holdfast</title>");
    expect(page.headers["content-security-policy"]).toMatch(/script-src 'self'/);
    expect((await http.ask("GET", url)).headers["content-type"]).toMatch(/^application\/problem\+json/);
  }
  for (const url of [
    "/api/nothing",
    "/auth/nobody/start",
    "/assets/missing.js",
    "/assets",
    "/ws/x",
    "/.secret",
    "/x.php",
  ]) {
    const answer = await http.ask("GET", url, { headers: browser });
    expect([url, answer.statusCode]).toEqual([url, 404]);
    expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
  }
  const post = await http.ask("POST", "/threds/t1", { body: {}, headers: browser });
  expect(post.headers["content-type"]).toMatch(/^application\/problem\+json/);
});

test("hashed files are kept for a year, others are asked for again", async () => {
  await using http = await openHttp();
  const script = await http.ask("GET", "/assets/index-Ab12.js");
  expect([script.statusCode, script.headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
  expect(script.headers["content-type"]).toMatch(/javascript/);
  expect((await http.ask("GET", "/favicon.svg")).headers["cache-control"]).toBe("no-cache");
  expect((await http.ask("HEAD", "/")).statusCode).toBe(200);
});

test.each([
  "/nothing",
  "/assets/",
  "/assets",
  "/assets/missing.js",
  "/agents.json",
  "/.secret",
  "/../package.json",
  "/..%2fpackage.json",
  "/%2e%2e/package.json",
  "/assets/..%2f..%2fpackage.json",
  "/..\\package.json",
  "/index.html%00.js",
  "/assets/%2e%2e%5c%2e%2e%5cx",
])("%s is not there", async (url) => {
  await using http = await openHttp();
  const answer = await http.ask("GET", url);
  expect([400, 403, 404]).toContain(answer.statusCode);
  expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(answer.body).not.toMatch(/holdfast-page|\/tmp|packages/);
});

test("health says what runs, and that no socket lives at a plain /ws", async () => {
  await using http = await openHttp();
  const health = await http.ask("GET", "/healthz");
  expect(health.json()).toEqual({ status: "ok", mode: "local", store: "sqlite", version: "0.1.0" });
  expect(health.headers["cache-control"]).toBe("no-store");
  const socket = await http.ask("GET", "/ws");
  expect([socket.statusCode, socket.headers["upgrade"], socket.json().status]).toEqual([426, "websocket", 426]);
});
