/** A real server whose database takes no writes for a while: another process holds its lock. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ServerMessage } from "@holdfast/protocol";
import { afterEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createServer } from "../src/index.ts";
import { newId } from "./support/principals.ts";
import { makeHello } from "./support/world.ts";

const app = new URL("./support/notesApp.ts", import.meta.url);
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of cleanUp.splice(0).reverse()) await one();
});

/** The next message that `wanted` accepts, of those not looked at yet. */
function hear(socket: WebSocket) {
  const received: ServerMessage[] = [];
  let wake = (): void => {};
  socket.on("message", (data) => {
    received.push(...(JSON.parse(String(data)) as ServerMessage[]));
    wake();
  });
  return async <Type extends ServerMessage["type"]>(type: Type): Promise<Extract<ServerMessage, { type: Type }>> => {
    for (;;) {
      const index = received.findIndex((message) => message.type === type);
      if (index >= 0) return received.splice(index, 1)[0] as never;
      await new Promise<void>((go) => {
        wake = go;
      });
    }
  };
}

it("[AD-2][OP-4][OP-7][AD-4][CL-4] a locked database: one breaker, one line, everybody stays, and all go on by themselves", async () => {
  const data = await mkdtemp(join(tmpdir(), "holdfast-locked-"));
  cleanUp.push(() => rm(data, { recursive: true }));
  const lines: { event: string; fields: Readonly<Record<string, unknown>> }[] = [];
  const write = (event: string, fields: Readonly<Record<string, unknown>> = {}): void =>
    void lines.push({ event, fields });
  const server = await createServer({
    app,
    data,
    mode: "development",
    log: { debug: () => {}, info: write, warn: write, error: write },
    // SQLite itself waits 5 s for a lock before it gives up.
    admission: { storeFailuresMax: 1, storeCallMsMax: 1_000, storeProbeEveryMs: 1_000, storeProbeMsMax: 500 },
  });
  cleanUp.push(() => server.close());
  const connect = async (hello: object) => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`, "holdfast.v1");
    cleanUp.push(() => socket.terminate());
    const closed: number[] = [];
    socket.on("close", (code) => closed.push(code));
    const next = hear(socket);
    await new Promise((resolve) => socket.on("open", resolve));
    const send = (...messages: object[]): void => socket.send(JSON.stringify(messages));
    send(makeHello(hello));
    return { next, send, closed };
  };
  const health = async () => (await (await fetch(`${server.url}/healthz`)).json()) as Record<string, unknown>;
  const reader = await connect({ subscribe: [{ stream: "notes", sub: 1, from: "start" }] });
  await reader.next("subscribed");
  expect(await health()).not.toHaveProperty("degraded");

  const thief = new DatabaseSync(join(data, "holdfast.db"));
  cleanUp.push(() => thief.close());
  thief.exec("begin immediate");
  const add = (): void => reader.send({ type: "request", id: newId(), method: "note.add", params: { text: "x" } });
  add();
  expect((await reader.next("response")).error).toMatchObject({ code: "store_unavailable", retryable: true });
  const degraded = { reason: "store_unavailable", since: expect.any(Number) };
  expect(await health()).toMatchObject({ status: "ok", mode: "development", degraded });
  // Answered at once now, since nobody asks the store.
  add();
  expect((await reader.next("response")).error?.retryAfter).toBeGreaterThan(0);
  // CL-4: at the HTTP door too.
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${server.url}/api/note.add`, { method: "POST", headers, body: '{"text":"x"}' });
  expect(answer.status).toBe(503);
  const { code, retryAfter } = (await answer.json()) as { code: string; retryAfter: number };
  expect(code).toBe("store_unavailable");
  expect(Number(answer.headers.get("retry-after"))).toBe(Math.ceil(retryAfter / 1_000));
  const agent = { name: "a", kind: "shell", host: "h", capabilities: ["newer"], process: newId(), open: [] };
  const unnamed = await connect({ agent, subscribe: [{ stream: "inbox/a", sub: 1, from: "start" }] });
  expect(await unnamed.next("welcome")).toMatchObject({ degraded, user: { role: "agent" } });
  expect(await unnamed.next("pending")).toMatchObject({ stream: "inbox/a", reason: "store_unavailable" });

  thief.exec("rollback");
  expect(await unnamed.next("agent")).toMatchObject({ id: "a", generation: 2 });
  expect(await unnamed.next("subscribed")).toMatchObject({ stream: "inbox/a" });
  add();
  expect((await reader.next("response")).error).toBeUndefined();
  expect(await health()).not.toHaveProperty("degraded");
  expect([reader.closed, unnamed.closed]).toEqual([[], []]);
  const told = lines.filter(({ event }) => event.startsWith("store."));
  expect(told.map(({ event }) => event)).toEqual(["store.unavailable", "store.available"]);
  expect(told[0]?.fields).toMatchObject({ store: "sqlite", file: join(data, "holdfast.db") });
}, 60_000);
