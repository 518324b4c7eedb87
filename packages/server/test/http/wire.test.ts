/** What only a real socket shows: what Node's parser lets through, and what it answers by itself. */
import { connect } from "node:net";
import { expect, test } from "vitest";
import { openHttp, portOf } from "./httpWorld.ts";

/** Sends bytes and reads to the end of the connection. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => (answer += chunk));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

test("[W2] [AU-5] absent, double and foreign Hosts, and absolute forms, on a real socket", async () => {
  await using http = await openHttp("development", true);
  const port = portOf(http.app);
  const get = (target: string, ...headers: string[]) =>
    exchange(port, `GET ${target} HTTP/1.1\r\n${["Connection: close", ...headers].join("\r\n")}\r\n\r\n`);
  const own = `Host: 127.0.0.1:${port}`;
  expect(await get("/api/session", own)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await get("/api/session")).toMatch(/^HTTP\/1\.1 403 /);
  expect(await exchange(port, "GET /api/session HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 403 /);
  expect(await get("/api/session", own, "Host: evil.example")).toMatch(/^HTTP\/1\.1 40[03] /);
  expect(await get("/api/session", own, own)).toMatch(/^HTTP\/1\.1 40[03] /);
  expect(await get("/api/session", `Host: evil.example:${port}`)).toMatch(/^HTTP\/1\.1 403 /);
  expect(await get(`http://127.0.0.1:${port}/api/session`, own)).toMatch(/^HTTP\/1\.1 403 /);
  expect(await get("http://evil.example/api/session", own)).toMatch(/^HTTP\/1\.1 403 /);
  expect(await get("/api/session", own, "Origin: http://evil.example", `Origin: http://127.0.0.1:${port}`)).toMatch(
    /^HTTP\/1\.1 403 /,
  );
  expect(await get("/api/session", own, `origin: http://127.0.0.1:${port}`)).toMatch(/^HTTP\/1\.1 200 /);
});

test("[W9] what Node cannot parse gets a problem document, never a word of ours about itself", async () => {
  await using http = await openHttp("local", true);
  const port = portOf(http.app);
  for (const bytes of [
    "\u0016\u0003\u0001\u0002\u0000\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    `GET / HTTP/1.1\r\nX: ${"y".repeat(40_000)}\r\n\r\n`,
  ]) {
    const answer = await exchange(port, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 4(?:00|31) /);
    expect(answer).toContain("content-type: application/problem+json");
    expect(answer).toContain("x-content-type-options: nosniff");
    expect(answer).not.toMatch(/stack|node_modules|HPE_/);
  }
});

test("[security F4] waits for a client are bounded", async () => {
  await using http = await openHttp("local", true);
  const { headersTimeout, requestTimeout, keepAliveTimeout } = http.app.server;
  expect([headersTimeout, requestTimeout, keepAliveTimeout]).toEqual([5_000, 10_000, 5_000]);
  const socket = connect(portOf(http.app), "127.0.0.1");
  const began = performance.now();
  socket.write("GET / HTTP/1.1\r\nHost: ");
  const answer = await new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.on("close", () => resolve(text));
  });
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(performance.now() - began).toBeLessThan(8_000);
});
