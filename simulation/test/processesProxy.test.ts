/** The faulty proxy, over real sockets: each fault takes effect, is counted, and never makes a hole in what arrives. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FaultyProxy, startFaultyProxy } from "../src/processes/faultyProxy.ts";
import type { NetworkFault } from "../src/processes/networkFault.ts";

const waitMsMax = 5_000;

interface Echo {
  readonly port: number;
  readonly sockets: Set<Socket>;
  close(): Promise<void>;
}

let echo: Echo;
let proxy: FaultyProxy;

beforeEach(async () => {
  echo = await startEcho();
  proxy = await startFaultyProxy({ target: echo.port, random: () => 0.5 });
});
afterEach(async () => {
  await proxy.close();
  await echo.close();
});

interface Client {
  readonly socket: Socket;
  readonly text: () => string;
  readonly pieces: () => number;
  readonly end: () => "open" | "ended" | "closed" | "reset";
}

async function open(): Promise<Client> {
  const socket = connect({ port: proxy.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  let text = "";
  let pieces = 0;
  let end: "open" | "ended" | "closed" | "reset" = "open";
  socket.setEncoding("latin1").on("data", (piece: string) => {
    text += piece;
    pieces += 1;
  });
  socket.on("end", () => {
    end = "ended";
  });
  socket.on("error", () => {
    end = "reset";
  });
  socket.on("close", () => {
    if (end === "open") end = "closed";
  });
  await new Promise<void>((done) => {
    socket.once("connect", done);
    socket.once("close", done);
  });
  return { socket, text: () => text, pieces: () => pieces, end: () => end };
}

/** Looks until it holds; fails where it does not within `waitMsMax`. */
async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + waitMsMax;
  while (!holds()) {
    expect(performance.now(), "it never held").toBeLessThan(end);
    await new Promise((done) => setTimeout(done, 5));
  }
}

test("without a fault bytes pass unchanged, both ways", async () => {
  const client = await open();
  const sent = "x".repeat(1_000_000);
  client.socket.write(sent);
  await until(() => client.text().length === sent.length);
  expect(proxy.heal()).toBe(0);
  client.socket.end();
  await until(() => proxy.connections === 0);
});

const delaying: readonly { readonly fault: NetworkFault; readonly msMin: number }[] = [
  { fault: { kind: "latency", ms: 100, jitterMs: 20 }, msMin: 200 },
  { fault: { kind: "rate", bytesPerSecond: 10_000 }, msMin: 190 },
];
test.each(delaying)("$fault.kind: later, and in order", async ({ fault, msMin }) => {
  const client = await open();
  proxy.begin(fault);
  const began = performance.now();
  client.socket.write("a".repeat(500));
  client.socket.write("b".repeat(500));
  await until(() => client.text().length === 1_000);
  expect(performance.now() - began).toBeGreaterThan(msMin);
  expect(client.text()).toBe("a".repeat(500) + "b".repeat(500));
  expect(proxy.heal()).toBeGreaterThan(0);
});

test("slice: in many pieces, and whole", async () => {
  const client = await open();
  proxy.begin({ kind: "slice", bytesMax: 7 });
  client.socket.write("0123456789".repeat(10));
  await until(() => client.text().length === 100);
  expect(client.text()).toBe("0123456789".repeat(10));
  expect(client.pieces()).toBeGreaterThan(5);
  expect(proxy.heal()).toBeGreaterThan(10);
});

test.each(["up", "down", "both"] as const)("stall %s: held, and there after healing", async (way) => {
  const client = await open();
  proxy.begin({ kind: "stall", way });
  client.socket.write("held");
  await until(() => proxy.effect() === 4);
  expect(client.text()).toBe("");
  expect(proxy.heal()).toBe(4);
  await until(() => client.text() === "held");
  expect(client.end()).toBe("open");
});

test.each(["up", "down", "both"] as const)("black hole %s: swallowed, and reset after healing", async (way) => {
  const client = await open();
  proxy.begin({ kind: "blackHole", way });
  client.socket.write("gone");
  await until(() => proxy.effect() === 4);
  expect(client.end()).toBe("open");
  expect(proxy.heal()).toBe(4);
  await until(() => client.end() !== "open");
  expect(client.text()).toBe("");
});

test("a connection that lost bytes passes nothing on, also while it is not healed", async () => {
  const client = await open();
  proxy.begin({ kind: "blackHole", way: "up" });
  client.socket.write("gone");
  await until(() => proxy.effect() === 4);
  client.socket.write("gone too");
  await until(() => proxy.effect() === 12);
  expect(client.text()).toBe("");
});

test("reset: what is there ends, what comes is taken", async () => {
  const client = await open();
  proxy.begin({ kind: "reset" });
  await until(() => client.end() !== "open");
  const next = await open();
  next.socket.write("after");
  await until(() => next.text() === "after");
  expect(proxy.heal()).toBe(1);
});

test("refuse: what is there ends, and what comes is refused until it is healed", async () => {
  const client = await open();
  proxy.begin({ kind: "refuse" });
  await until(() => client.end() !== "open");
  const refused = await open();
  await until(() => refused.end() !== "open");
  expect(proxy.heal()).toBe(2);
  const next = await open();
  next.socket.write("again");
  await until(() => next.text() === "again");
});

test.each(["client", "server"] as const)("half-close to the %s: it hears the end", async (side) => {
  const client = await open();
  client.socket.write("hello");
  await until(() => client.text() === "hello");
  proxy.begin({ kind: "halfClose", side });
  if (side === "client") await until(() => client.end() === "ended");
  else await until(() => [...echo.sockets].every((socket) => socket.readableEnded));
  expect(proxy.heal()).toBe(1);
});

test("a fault that meets no traffic took no effect", async () => {
  await open();
  proxy.begin({ kind: "blackHole", way: "both" });
  expect(proxy.heal()).toBe(0);
  await proxy.close();
  proxy = await startFaultyProxy({ target: echo.port, random: () => 0.5 });
  proxy.begin({ kind: "reset" });
  expect(proxy.heal()).toBe(0);
});

test("a client that says the proxy's host is given the server's", async () => {
  const rewriting = await startFaultyProxy({ target: echo.port, random: () => 0.5, rewritesHost: true });
  const socket = connect({ port: rewriting.port, host: "127.0.0.1" });
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString();
  });
  socket.write(`GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${rewriting.port}\r\n\r\nHost: stays\r\n`);
  await until(() => text.includes("stays"));
  expect(text).toBe(`GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${echo.port}\r\n\r\nHost: stays\r\n`);
  socket.destroy();
  await rewriting.close();
});

async function startEcho(): Promise<Echo> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("end", () => socket.end());
    socket.on("data", (bytes) => socket.write(bytes));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
