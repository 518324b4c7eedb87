/** From where the server can be reached: never in the clear beyond this machine (AU-5, W10). */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ServerMessage } from "@holdfast/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createServer, type Server, type ServerOptions, StartError } from "../src/index.ts";
import { type ReachOptions, reachOf } from "../src/reach.ts";

const cert = fileURLToPath(new URL("./support/tls/cert.pem", import.meta.url));
const key = fileURLToPath(new URL("./support/tls/key.pem", import.meta.url));
const publicUrl = "https://fleet.example.com";
const loopback: ReachOptions = { host: "127.0.0.1", publicUrl: undefined, tls: undefined, trustProxies: [] };

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-reach-"));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("where to listen", () => {
  it.each<[string, Partial<ReachOptions>]>([
    ["loopback", {}],
    ["loopback behind a proxy of this machine", { publicUrl }],
    ["loopback over TLS", { tls: { cert, key } }],
    ["everywhere over TLS, by a name", { host: "0.0.0.0", publicUrl, tls: { cert, key } }],
    ["everywhere behind proxies, by a name", { host: "::", publicUrl, trustProxies: ["10.0.0.0/8"] }],
    [
      "everywhere in a container that only this machine reaches",
      { host: "0.0.0.0", publicUrl: "http://localhost:4400", trustProxies: ["172.17.0.1"] },
    ],
  ])("[AU-5] %s is taken", (_title, options) => {
    const reach = reachOf({ ...loopback, ...options });
    expect(reach.loopback).toBe((options.host ?? "127.0.0.1") === "127.0.0.1");
  });

  it.each<[Partial<ReachOptions>, RegExp]>([
    [{ host: "0.0.0.0" }, /TLS.*--tls-cert, --tls-key.*--trust-proxies.*--host 127\.0\.0\.1.*ssh -L/],
    [{ host: "10.1.2.3", publicUrl }, /^host is "10\.1\.2\.3", which other machines reach/],
    [{ host: "0.0.0.0", tls: { cert, key } }, /--public-url/],
    [{ host: "0.0.0.0", trustProxies: ["10.0.0.1"] }, /--public-url/],
    [{ host: "example.org", publicUrl, tls: { cert, key } }, /^host is "example\.org": give an address/],
    [{ publicUrl: "http://fleet.example.com" }, /^publicUrl is "http:\/\/fleet\.example\.com": without TLS/],
    [{ publicUrl: "http://localhost", tls: { cert, key } }, /begin it with https/],
    [{ publicUrl: "fleet.example.com" }, /^publicUrl: "fleet\.example\.com" is not an origin/],
    [{ publicUrl: `${publicUrl}/app` }, /is not an origin/],
    [{ tls: { cert: "/none/cert.pem", key } }, /^tls\.cert: \/none\/cert\.pem cannot be read \(ENOENT\)/],
    [{ tls: { cert: key, key: cert } }, /are no certificate and its key/],
    [{ trustProxies: ["everybody"] }, /^trustProxies: "everybody"/],
  ])("[AU-5] %j is refused by one sentence", (options, sentence) => {
    const reach = () => reachOf({ ...loopback, ...options });
    expect(reach).toThrow(StartError);
    expect(reach).toThrow(sentence);
    expect(reach).toThrow(/^[^\n]*\.$/);
  });

  it("[AU-5] a certificate and a key that do not belong together are refused", () => {
    const other = join(newFolder(), "key.pem");
    writeFileSync(
      other,
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n",
    );
    expect(() => reachOf({ ...loopback, tls: { cert, key: other } })).toThrow(/two PEM files that belong together/);
  });
});

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function start(options: Partial<ServerOptions>): Promise<Server> {
  const app = new URL("./support/notesApp.ts", import.meta.url);
  const server = await createServer({ app, data: newFolder(), log: silent, ...options });
  cleanUps.push(() => server.close());
  return server;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request with exactly these headers. */
function ask(url: string, headers: Record<string, string>, body?: object): Promise<Answer> {
  const isTls = url.startsWith("https:");
  const options = {
    method: body === undefined ? "GET" : "POST",
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    // The fixture's certificate is signed by nobody.
    ...(isTls ? { agent: new Agent({ rejectUnauthorized: false }) } : {}),
  };
  return new Promise((resolve, reject) => {
    const sent = (isTls ? httpsRequest : httpRequest)(url, options, (answer) => {
      let text = "";
      answer.on("data", (part) => {
        text += part;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const cookieOf = ({ headers }: Answer): string => String(headers["set-cookie"]?.[0] ?? "");

/** The first message of a socket, or the status that refused it. */
function open(url: string, headers: Record<string, string>): Promise<ServerMessage | number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, ["holdfast.v1"], {
      headers,
      rejectUnauthorized: false,
    });
    cleanUps.push(() => socket.terminate());
    socket.on("open", () => {
      const client = { name: "test", version: "1" };
      const instance = "01900000-0000-7000-8000-000000000000";
      socket.send(JSON.stringify([{ type: "hello", protocol: 1, instance, attempt: 1, client, visible: true }]));
    });
    socket.on("message", (data) => resolve((JSON.parse(String(data)) as [ServerMessage])[0]));
    socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
    socket.on("error", reject);
  });
}

describe("over TLS", () => {
  it("[AU-5][W10] the public name is the own origin, the cookie a __Host- one, and a browser comes by TLS only from then on", async () => {
    const server = await start({ host: "0.0.0.0", publicUrl, tls: { cert, key } });
    expect([server.url, server.localUrl]).toEqual([publicUrl, publicUrl]);
    const { port } = server;
    const at = (path: string) => `https://127.0.0.1:${port}${path}`;
    const host = { host: "fleet.example.com" };
    const seen = await ask(at("/api/session"), host);
    expect(seen).toMatchObject({ status: 200, headers: { "strict-transport-security": "max-age=31536000" } });
    expect(seen.headers["content-security-policy"]).toContain("connect-src 'self' wss://fleet.example.com;");
    const signedIn = await ask(at("/api/session"), { ...host, origin: publicUrl }, { code: await server.signInCode() });
    expect(signedIn.status).toBe(200);
    const cookie = cookieOf(signedIn);
    expect(cookie).toMatch(/^__Host-holdfast_session=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const [pair = ""] = cookie.split(";");
    expect(JSON.parse((await ask(at("/api/session"), { ...host, cookie: pair })).body)).toMatchObject({
      user: { id: "owner" },
    });
    expect(await open(at(""), { ...host, origin: publicUrl, cookie: pair })).toMatchObject({ type: "welcome" });
    // A foreign page, and a name that is not ours.
    expect(await open(at(""), { ...host, origin: "https://evil.example", cookie: pair })).toBe(403);
    expect(await open(at(""), { host: "evil.example", origin: "https://evil.example" })).toBe(403);
    // The plain cookie of a loopback server is no credential here.
    const plain = pair.replace("__Host-holdfast_session", `holdfast_session_${port}`);
    expect(JSON.parse((await ask(at("/api/session"), { ...host, cookie: plain })).body)).toMatchObject({ user: null });
  });

  it("[AU-5] on loopback without a public name the own origin is the checked Host, over https", async () => {
    const server = await start({ tls: { cert, key } });
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const seen = await ask(`${server.url}/api/session`, {});
    expect(seen.status).toBe(200);
    // It would hold for every port of this machine's name.
    expect(seen.headers["strict-transport-security"]).toBeUndefined();
    const signedIn = await ask(
      `${server.url}/api/session`,
      { origin: server.url },
      { code: await server.signInCode() },
    );
    expect(cookieOf(signedIn)).toMatch(/^__Host-holdfast_session=/);
    const overHttp = server.url.replace("https", "http");
    expect((await ask(`${server.url}/api/session`, { origin: overHttp }, { code: "x" })).status).toBe(403);
  });
});

describe("behind a proxy", () => {
  it("[AU-5] the public name is the own origin; programs of this machine come past the proxy", async () => {
    const server = await start({ host: "0.0.0.0", publicUrl, trustProxies: ["127.0.0.1"] });
    expect(server.url).toBe(publicUrl);
    expect(server.localUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const forwarded = { host: "fleet.example.com", "x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.1" };
    const session = `${server.localUrl}/api/session`;
    const signedIn = await ask(session, { ...forwarded, origin: publicUrl }, { code: await server.signInCode() });
    expect(cookieOf(signedIn)).toMatch(/^__Host-holdfast_session=.*; Secure;/);
    expect(signedIn.headers["strict-transport-security"]).toBeDefined();
    expect((await ask(session, {})).status).toBe(200);
    expect((await ask(session, { host: "other.example.com" })).status).toBe(403);
    // The own origin never comes from a header of the request.
    const spoofed = { ...forwarded, "x-forwarded-host": "evil.example", origin: "https://evil.example" };
    expect((await ask(session, spoofed, { code: "x" })).status).toBe(403);
    expect((await ask(session, { origin: server.localUrl }, { code: "x" })).status).toBe(403);
  });

  it("[W8] wrong sign-in codes are counted for who sent them; a stranger cannot hide behind a header", async () => {
    const wrong = (server: Server, from: string) =>
      ask(
        `${server.localUrl}/api/session`,
        { host: "fleet.example.com", origin: publicUrl, "x-forwarded-for": from },
        { code: "wrong" },
      );
    const trusting = await start({ publicUrl, trustProxies: ["127.0.0.1"] });
    for (let count = 0; count < 10; count += 1) expect((await wrong(trusting, "198.51.100.1")).status).toBe(401);
    expect((await wrong(trusting, "198.51.100.1")).status).toBe(429);
    expect((await wrong(trusting, "198.51.100.2")).status).toBe(401);
    const alone = await start({ publicUrl });
    for (let count = 0; count < 10; count += 1) expect((await wrong(alone, `198.51.100.${count}`)).status).toBe(401);
    expect((await wrong(alone, "198.51.100.99")).status).toBe(429);
  });

  it("[AU-6] development mode is refused where other machines reach it", async () => {
    const options = { mode: "development", host: "0.0.0.0", publicUrl, trustProxies: ["127.0.0.1"] } as const;
    await expect(start(options)).rejects.toThrow(/^mode is development while host is "0\.0\.0\.0"/);
  });
});
