/** The server as a whole over real sockets: upgrade rules, a round trip, a clean end. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerMessage } from "@holdfast/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createServer, type Server, StartError } from "../src/index.ts";
import { newId } from "./support/principals.ts";
import { makeHello } from "./support/world.ts";

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function start(extras: { port?: number; data?: string; mode?: "local"; app?: URL } = {}): Promise<Server> {
  const data = extras.data ?? newFolder();
  const { app = new URL("./support/notesApp.ts", import.meta.url) } = extras;
  const server = await createServer({
    app,
    mode: extras.mode ?? "development",
    host: "127.0.0.1",
    port: extras.port ?? 0,
    data,
    origins: [],
    version: "test",
    log: silent,
  });
  cleanUps.push(() => server.close());
  return server;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-server-"));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Peer {
  readonly socket: WebSocket;
  /** The next message of a type. */
  next<Type extends ServerMessage["type"]>(type: Type): Promise<Extract<ServerMessage, { type: Type }>>;
  readonly closed: Promise<{ code: number; reason: string }>;
  send(...messages: object[]): void;
}

function connect(server: Server, options: object = {}, protocols: string[] = ["holdfast.v1"]): Promise<Peer> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`, protocols, options);
  cleanUps.push(() => socket.terminate());
  const received: ServerMessage[] = [];
  const waiting: (() => void)[] = [];
  socket.on("message", (data) => {
    received.push(...(JSON.parse(String(data)) as ServerMessage[]));
    for (const wake of waiting.splice(0)) wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) })),
  );
  const next: Peer["next"] = async (type) => {
    for (;;) {
      const index = received.findIndex((message) => message.type === type);
      if (index >= 0) return received.splice(index, 1)[0] as never;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return new Promise((resolve, reject) => {
    socket.on("open", () =>
      resolve({ socket, next, closed, send: (...messages) => socket.send(JSON.stringify(messages)) }),
    );
    socket.on("unexpected-response", (_request, response) => reject(new Error(`HTTP ${response.statusCode}`)));
    socket.on("error", reject);
  });
}

describe("a server on real sockets", () => {
  it("[OP-3][RQ-1][ST-4] hello, request, event, in development mode without a credential", async () => {
    const peer = await connect(await start());
    expect(peer.socket.protocol).toBe("holdfast.v1");
    peer.send(makeHello({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] }));
    expect(await peer.next("welcome")).toMatchObject({ user: { role: "admin", temporary: true } });
    await peer.next("subscribed");
    const id = newId();
    peer.send({ type: "request", id, method: "note.add", params: { text: "Grüße 👋" } });
    expect(await peer.next("response")).toMatchObject({ id, result: { text: "Grüße 👋" } });
    expect(await peer.next("events")).toMatchObject({
      offset: 1,
      head: 1,
      events: [{ event: "note.added", data: { text: "Grüße 👋" } }],
    });
  });

  it.each([
    ["a foreign Origin", { origin: "http://evil.example" }, ["holdfast.v1"], "HTTP 403"],
    ["a rebound Host", { headers: { host: "evil.example" } }, ["holdfast.v1"], "HTTP 403"],
    ["another subprotocol", {}, ["graphql-ws"], "HTTP 400"],
  ])("[AU-2][AU-5][TR-2] the upgrade fails for %s", async (_title, options, protocols, message) => {
    await expect(connect(await start(), options, protocols)).rejects.toThrow(message);
  });

  it("[AU-2] a wrong credential is accepted, then told: bye and 4401", async () => {
    const peer = await connect(await start(), { headers: { authorization: "Bearer hfk_wrong" } });
    peer.send(makeHello());
    expect(await peer.next("bye")).toMatchObject({ code: 4401 });
    expect((await peer.closed).code).toBe(4401);
  });

  it("[AU-7][AU-9] a refreshed cookie is seen by auth on the socket that has the old one; signing out closes it", async () => {
    const server = await start({ mode: "local" });
    const headers = { origin: server.url, "content-type": "application/json" };
    const ask = async (method: string, path: string, body: object, cookie = ""): Promise<string> => {
      const answer = await fetch(server.url + path, {
        method,
        headers: { ...headers, cookie },
        body: JSON.stringify(body),
      });
      expect(answer.ok).toBe(true);
      return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    };
    const cookie = await ask("POST", "/api/session", { code: await server.signInCode() });
    const peer = await connect(server, { headers: { cookie, origin: server.url } });
    peer.send(makeHello());
    const { expiresAt = 0 } = await peer.next("welcome");
    // An end is told in whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)));
    const renewed = await ask("POST", "/api/session/refresh", {}, cookie);
    expect(renewed).not.toBe(cookie);
    peer.send({ type: "auth" });
    expect((await peer.next("authenticated")).expiresAt).toBeGreaterThan(expiresAt);
    await ask("DELETE", "/api/session", {}, renewed);
    const signedOutAt = Date.now();
    expect((await peer.closed).code).toBe(4403);
    expect(Date.now() - signedOutAt).toBeLessThan(1_000);
  });

  it("[TR-4] a binary frame closes 1003; [TR-3] one over 1 MiB closes 1009", async () => {
    const server = await start();
    const binary = await connect(server);
    binary.socket.send(Buffer.from("[]"), { binary: true });
    expect((await binary.closed).code).toBe(1003);
    const big = await connect(server);
    big.socket.send(`["${"x".repeat(1024 * 1024)}"]`);
    expect((await big.closed).code).toBe(1009);
  });

  it("[RQ-6] the same methods over HTTP, in the same key space as over the socket", async () => {
    const server = await start();
    const post = (method: string, body: object, headers: Record<string, string> = {}) =>
      fetch(`${server.url}/api/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: server.url, ...headers },
        body: JSON.stringify(body),
      });
    const peer = await connect(server);
    const id = newId();
    peer.send(makeHello({ instance: "01900000-0000-7000-8000-000000000000" }));
    const { user } = await peer.next("welcome");
    peer.send({ type: "request", id, method: "note.add", params: { text: "once" } });
    await peer.next("response");
    const cookie = `holdfast_browser_${new URL(server.url).port}=${user.id.replace("dev-temp-", "")}`;
    const repeat = await post("note.add", { text: "once" }, { "idempotency-key": id, cookie });
    expect([repeat.status, await repeat.json()]).toEqual([200, { text: "once" }]);
    expect(await (await post("note.list", {})).json()).toEqual({ items: [{ text: "once" }] });
    const wrong = await post("note.add", { text: 7 });
    expect([wrong.status, wrong.headers.get("content-type")]).toEqual([422, "application/problem+json; charset=utf-8"]);
    expect(await wrong.json()).toMatchObject({ code: "invalid_params", status: 422 });
    expect((await post("no.such", {})).status).toBe(404);
    expect((await post("note.add", { text: "x" }, { authorization: "Bearer hfk_wrong" })).status).toBe(401);
    const described = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(described.paths)).toEqual([
      "/api/note.add",
      "/api/key.make",
      "/api/note.list",
      "/api/user.list",
      "/api/user.setRole",
      "/api/user.remove",
      "/api/session.list",
      "/api/session.revoke",
      "/api/key.create",
      "/api/key.list",
      "/api/key.revoke",
      "/api/user.invite",
      "/api/user.link",
      "/api/audit.search",
      "/api/weather.make",
      "/api/diagnostics.get",
    ]);
  });

  it("[AU-6] who came without the browser's cookie stays the same user when it has one", async () => {
    const server = await start();
    const instance = newId();
    const first = await connect(server);
    first.send(makeHello({ instance }));
    const { user } = await first.next("welcome");
    const { port } = new URL(server.url);
    const headers = { cookie: `holdfast_browser_${port}=${newId()}` };
    const again = await connect(server, { headers });
    again.send(makeHello({ instance, expect: { user: user.id, workspace: user.workspace } }));
    expect((await again.next("welcome")).user.id).toBe(user.id);
    const another = await connect(server, { headers });
    another.send(makeHello());
    expect((await another.next("welcome")).user.id).not.toBe(user.id);
  });

  it.each(["", "GET / HTTP/1.1\r\nHost:"])("[CL-9] a socket that said only %j does not hold the stop", async (said) => {
    const server = await start();
    const socket = connectTcp(Number(new URL(server.url).port), "127.0.0.1");
    const ended = new Promise<void>((done) => socket.once("close", () => done()));
    socket.on("error", () => {}).resume();
    await new Promise<void>((done) => socket.once("connect", done));
    socket.write(said);
    await server.close();
    await ended;
  });

  it("[CL-9] close says bye 1012 to all, frees the port and the folder, and can be said twice", async () => {
    const data = newFolder();
    const server = await start({ data });
    const peer = await connect(server);
    peer.send(makeHello());
    await peer.next("welcome");
    await Promise.all([server.close(), server.close()]);
    expect(await peer.next("bye")).toMatchObject({ code: 1012, reconnect: true });
    expect((await peer.closed).code).toBe(1012);
    const again = await start({ data, port: Number(new URL(server.url).port) });
    expect(again.url).toBe(server.url);
  });

  it("[F79] a busy port is one sentence, and leaves the folder unlocked", async () => {
    const busy = createTcpServer();
    await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
    cleanUps.push(() => void busy.close());
    const { port } = busy.address() as { port: number };
    const data = newFolder();
    await expect(start({ port, data })).rejects.toThrow(
      new StartError(
        `Port ${port} of 127.0.0.1 is in use by another program; stop that one, or choose another with --port.`,
      ),
    );
    await start({ data });
  });

  it.each([
    ["is no app", "./support/principals.ts", /principals\.ts exports no plugin: write/],
    ["is not there", "./support/nowhere.ts", /nowhere\.ts/],
  ])("[F79] an app's module that %s says so itself, and leaves the folder unlocked", async (_what, module, why) => {
    const data = newFolder();
    await expect(start({ data, app: new URL(module, import.meta.url) })).rejects.toThrow(why);
    await start({ data });
  });

  it("[F18] a start that failed leaves no timer and no socket behind", async () => {
    const busy = createTcpServer();
    await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
    cleanUps.push(() => void busy.close());
    const { port } = busy.address() as { port: number };
    const held = () =>
      process.getActiveResourcesInfo().filter((kind) => kind === "Timeout" || /tcp/i.test(kind)).length;
    const before = held();
    // More often than other tests' last timers could hide.
    for (let time = 0; time < 5; time += 1) await expect(start({ port })).rejects.toThrow(StartError);
    await expect.poll(held).toBeLessThanOrEqual(before);
  });
});
