/** Limits of AD-5 as settings, over real sockets. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerMessage } from "@holdfast/protocol";
import { afterEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type ConnectionLimits, createServer } from "../src/index.ts";
import { makeHello } from "./support/world.ts";

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(limits: Partial<ConnectionLimits>): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), "holdfast-server-"));
  cleanUps.push(() => rmSync(data, { recursive: true, force: true }));
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const app = new URL("./support/notesApp.ts", import.meta.url);
  const server = await createServer({ app, data, limits, log, authenticate: () => ({ id: "everybody" }) });
  cleanUps.push(() => server.close());
  return server.url.replace("http", "ws");
}

interface Opened {
  readonly socket: WebSocket;
  /** Every message that came, as it comes. */
  readonly received: ServerMessage[];
  /** `welcome`, or the code of the `bye` that came instead. */
  readonly verdict: "welcome" | number;
}

async function connect(url: string): Promise<Opened> {
  const socket = new WebSocket(`${url}/ws`, ["holdfast.v1"]);
  cleanUps.push(() => socket.terminate());
  const received: ServerMessage[] = [];
  const verdict = await new Promise<Opened["verdict"]>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("open", () => socket.send(JSON.stringify([makeHello()])));
    socket.on("message", (frame) => {
      received.push(...(JSON.parse(String(frame)) as ServerMessage[]));
      for (const message of received) {
        if (message.type === "welcome") resolve("welcome");
        if (message.type === "bye") resolve(message.code);
      }
    });
  });
  return { socket, received, verdict };
}

/** How long the answers to so many pings at once take, ms. */
async function pingsMs({ socket, received }: Opened, count: number): Promise<number> {
  const startedAt = performance.now();
  for (let n = 1; n <= count; n += 1) socket.send(JSON.stringify([{ type: "ping", n, visible: true }]));
  const isAnswered = (): boolean => received.some((message) => message.type === "pong" && message.n === count);
  while (!isAnswered()) await new Promise((done) => socket.once("message", done));
  return performance.now() - startedAt;
}

test("[AD-5] so many connections of one person as the setting says, and no more", async () => {
  const url = await start({ connectionsPerPrincipal: 2 });
  expect((await connect(url)).verdict).toBe("welcome");
  expect((await connect(url)).verdict).toBe("welcome");
  expect((await connect(url)).verdict).toBe(4429);
});

test("[AD-5] a connection over its messages a second is read more slowly; a raised limit does not slow it", async () => {
  const slow = await connect(await start({ messagesPerSecond: 100, messagesBurst: 10 }));
  expect(await pingsMs(slow, 110)).toBeGreaterThan(800);
  const fast = await connect(await start({ messagesPerSecond: 100_000, messagesBurst: 100_000 }));
  const ms = await pingsMs(fast, 5_000);
  // At the default of 200 a second they would take 23 s.
  expect(ms).toBeLessThan(10_000);
  expect([slow.socket.readyState, fast.socket.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
});
