/**
 * Canaries as tokens and prompts, through every door in good and in hostile forms, at log level debug: neither
 * stands in a line of the log, a metric, a diagnostic or an answer to somebody else, and no token in the store.
 *
 * A prompt that was accepted is the product's data: it stands in the log of its stream, as the event that it became,
 * which shows that the search finds what is there. One that was refused stands nowhere.
 *
 * Seen red: with the address of a request in the log's line about its refusal.
 */
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createServer, type Server } from "../../src/index.ts";
import { createLog } from "../../src/observe/pinoLog.ts";
import { newId } from "../support/principals.ts";
import { makeHello } from "../support/world.ts";
import { frame, messagesFrame, opcodes, textFrame } from "./support/rawFrame.ts";
import { dial, handshake, type RawPeer, upgraded } from "./support/rawPeer.ts";

const secret = `CANARY-secret-${randomBytes(16).toString("hex")}`;
const issuer = "https://id.example.org";
const data = mkdtempSync(join(tmpdir(), "holdfast-canary-"));
/** Accepted, and refused in whatever way. */
const accepted = `PROMPT-accepted-${randomBytes(8).toString("hex")}`;
const refused = `PROMPT-refused-${randomBytes(8).toString("hex")}`;
const broken = ["fail.now", "fail.later", "answer.strange"];
const waitMsMax = 10_000;

let server: Server;
let log = "";
const tokens: Record<string, string> = {};

beforeAll(async () => {
  const stream = new Writable({
    write(chunk, _encoding, done) {
      log += String(chunk);
      done();
    },
  });
  server = await createServer({
    app: new URL("./support/hostileApp.ts", import.meta.url),
    data,
    issuers: [{ issuer, secret, role: "admin" }],
    // One person and one address, who come again and again.
    admission: { openingsPerPrincipalBurst: 10_000, openingsPerAddressBurst: 10_000 },
    log: createLog({ level: "debug", stream: stream as unknown as NodeJS.WriteStream }),
  });
  const code = await server.signInCode();
  const answer = await ask("POST", "/api/session", {}, JSON.stringify({ code }));
  tokens["code"] = code;
  tokens["cookie"] = /holdfast_session_\d+=([^;]+)/.exec(answer)?.[1] ?? "";
  tokens["operator's key"] = await server.operatorKey();
  tokens["agent's key"] = await server.agentKey("canary");
  tokens["issued token"] = issuedToken();
  tokens["issuer's secret"] = secret;
  // Of the form of ours, and of nobody's.
  tokens["forged key"] = `hfk_${randomBytes(24).toString("base64url")}`;
  tokens["plain text"] = `CANARY${randomBytes(12).toString("hex")}`;
  for (const [name, token] of Object.entries(tokens)) expect(token.length, name).toBeGreaterThan(15);
});
afterAll(async () => {
  await server?.close();
  rmSync(data, { recursive: true, force: true });
});

function issuedToken(): string {
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const text = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded({ iss: issuer, sub: "ada", name: "Ada", exp })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

/** A request over a raw socket, so that anything can be said: the whole answer. */
async function ask(method: string, path: string, headers: Record<string, string>, body = ""): Promise<string> {
  const peer = dial(server.port);
  let heard = "";
  peer.socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  const all = {
    Host: `127.0.0.1:${server.port}`,
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(body)),
    Connection: "close",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  peer.write(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
  await peer.ended;
  return heard;
}

/** All that this socket says, then its end, whichever way. */
async function say(peer: RawPeer, ...bytes: readonly (string | Uint8Array)[]): Promise<void> {
  for (const part of bytes) peer.write(part);
  // A ping that is answered, or an end: all that was said before has been heard.
  peer.send({ type: "ping", n: 1, visible: true });
  await Promise.race([peer.next("pong").catch(() => undefined), peer.ended]);
  peer.reset();
  await peer.ended;
}

/** Every way in which a token is brought, rightly and wrongly. */
async function bring(token: string): Promise<void> {
  const { port } = server;
  const headers: Record<string, string>[] = [
    { Authorization: `Bearer ${token}` },
    { Authorization: `Basic ${token}` },
    { Authorization: token },
    { "Sec-WebSocket-Protocol": `holdfast.v1, bearer.${token}` },
    { "Sec-WebSocket-Protocol": `bearer.${token}` },
    { Cookie: `holdfast_session_${port}=${token}` },
    { Cookie: `other=${token}` },
    { Authorization: `Bearer ${token}`, "Sec-WebSocket-Protocol": "holdfast.v1, bearer.hfk_other" },
    { Origin: "http://evil.example", Authorization: `Bearer ${token}` },
    { "X-Api-Key": token },
  ];
  for (const one of headers) {
    const peer = dial(port);
    peer.write(handshake(port, one));
    if ((await peer.answered()) === 101) await say(peer, messagesFrame(makeHello()));
    else peer.reset();
    await ask("GET", "/api/session", one);
    await ask("POST", "/api/note.list", one, "{}");
  }
  for (const path of [`/ws?token=${token}`, `/?access_token=${token}`, `/${token}`, `/api/${token}`, `/%zz${token}`])
    await ask("GET", path, {});
  await ask("POST", "/api/session", {}, JSON.stringify({ code: token }));
  await ask("POST", "/api/session", {}, `{"code":"${token}`);
  const text = (message: object): string => JSON.stringify([message]);
  const hello = makeHello({ token });
  for (const bytes of [
    messagesFrame(hello),
    messagesFrame({ ...hello, protocol: "one" }),
    messagesFrame({ ...hello, token: [token] }),
    textFrame(text(hello).slice(0, -3)),
    textFrame(`${text(hello)}${token}`),
    frame({ opcode: opcodes.binary, payload: text(hello) }),
    frame({ fin: false, opcode: opcodes.text, payload: text(hello) }),
    frame({ masked: false, payload: text(hello) }),
  ])
    await say(await upgraded(port), bytes);
  // In the session of somebody who is in.
  for (const message of [
    { type: "auth", token },
    { type: "auth", token: { token } },
    { type: "unknown", token },
    { type: "request", id: newId(), method: "note.list", params: {}, token },
  ])
    await say(await inside(), messagesFrame(message), textFrame(text(message).slice(0, -2)));
}

async function inside(): Promise<RawPeer> {
  const peer = await upgraded(server.port);
  peer.send(makeHello({ token: tokens["issued token"] }));
  await peer.next("welcome");
  return peer;
}

/** Every way in which a prompt is refused. */
async function refuse(prompt: string): Promise<void> {
  const request = (method: string, params: unknown): object => ({ type: "request", id: newId(), method, params });
  const messages: object[] = [
    request("note.add", { text: [prompt] }),
    request("note.nothing", { text: prompt }),
    ...broken.map((method) => request(method, { text: prompt })),
    { type: "request", id: prompt, method: "note.add", params: { text: prompt } },
    { type: "request", id: newId(), method: 1, params: { text: prompt } },
    { type: "publish", stream: "notes", producer: "none", sequence: 1, events: [{ event: "x", data: { prompt } }] },
    {
      type: "publish",
      stream: "notes",
      producer: crypto.randomUUID(),
      sequence: 1,
      events: [{ event: "x", data: { prompt } }],
    },
    { type: "signal", stream: "notes", signal: "nothing", data: { prompt } },
    { type: "nothing", prompt },
  ];
  await say(await inside(), ...messages.map((message) => messagesFrame(message)));
  for (const message of messages) {
    await say(await inside(), textFrame(JSON.stringify([message]).slice(0, -4)));
    await say(await inside(), frame({ opcode: opcodes.binary, payload: JSON.stringify([message]) }));
  }
  const key = { Authorization: `Bearer ${tokens["issued token"]}` };
  for (const [path, headers, body] of [
    ["/api/note.add", key, JSON.stringify({ text: [prompt] })],
    ["/api/note.add", key, `{"text":"${prompt}`],
    ["/api/note.add", {}, JSON.stringify({ text: prompt })],
    ["/api/note.add", { ...key, "Content-Type": "text/plain" }, JSON.stringify({ text: prompt })],
    ["/api/note.nothing", key, JSON.stringify({ text: prompt })],
    ...broken.map((method) => [`/api/${method}`, key, JSON.stringify({ text: prompt })] as const),
  ] as const)
    await ask("POST", path, headers, body);
}

/** The store's files, as they are on the disk. */
function storeText(): string {
  return readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString("latin1"))
    .join("\n");
}

test("[W5] [L2] [REL-I17] no token and no refused prompt in log, metrics, diagnostics or store, whatever form it came in", async () => {
  for (const token of Object.values(tokens)) await bring(token);
  await refuse(refused);
  const peer = await inside();
  const id = newId();
  peer.send({ type: "request", id, method: "note.add", params: { text: accepted } });
  expect(await peer.next("response", (message) => message["id"] === id)).toHaveProperty("result");
  peer.reset();

  const admin = { Authorization: `Bearer ${tokens["issued token"]}` };
  const diagnosed = await ask("POST", "/api/diagnostics.get", admin, "{}");
  expect(diagnosed).toContain('"records":[{');
  const metrics = await ask("GET", "/metrics", {});
  expect(metrics).toContain("holdfast_openings_failed_total");
  // Records of connections go to the store once a second.
  await expect.poll(() => storeText().includes(accepted), { timeout: waitMsMax }).toBe(true);
  await server.close();
  const store = storeText();

  // Debug was on, and all of this was told.
  for (const told of ['"level":"debug"', '"connection.closed"', '"http.refused"', '"operation.failed"'])
    expect(log).toContain(told);
  const places = { log, metrics, diagnosed, store };
  const found = (needle: string): string[] =>
    Object.entries(places).flatMap(([place, text]) => (text.includes(needle) ? [place] : []));
  for (const [name, token] of Object.entries(tokens)) expect([name, ...found(token)]).toEqual([name]);
  expect(found(refused)).toEqual([]);
  expect(found(accepted)).toEqual(["store"]);
}, 60_000);
