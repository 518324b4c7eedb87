/** Holdfast as somebody's app uses it: `createServer` with one family of streams, each event durable first. */
import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { createServer, type Log, type Server } from "@holdfast/server";
import { serveCalls } from "../processes/calls.ts";
import { ownUsage } from "../processes/usage.ts";
import type { ServerFace } from "./serverFace.ts";

const stalledBytesMin = 200 * 1024;
const quiet = (): void => {};
const expected: ReadonlySet<string> = new Set(["auth.development_mode"]);
const loud = (event: string, fields?: unknown): void => {
  if (!expected.has(event)) console.error("holdfast:", event, fields ?? "");
};
/** All readers come at once and from one address: the connection is measured, not the wait for it. */
const admission = {
  openingsPerSecond: 1_000_000,
  openingsUnderWayMax: 20_000,
  openingsPerAddressBurst: 20_000,
  socketsWithoutHelloMax: 20_000,
  socketsWithoutHelloPerAddressMax: 20_000,
};

const log: Log = { debug: quiet, info: quiet, warn: loud, error: loud };

let server: Server | undefined;
/** Weak, so that a closed one goes. */
const sockets: WeakRef<Socket>[] = [];

const face: ServerFace = {
  async start({ folder, watchSockets }) {
    if (watchSockets) {
      subscribe("net.server.socket", (message) => sockets.push(new WeakRef((message as { socket: Socket }).socket)));
    }
    server = await createServer({
      app: new URL("./holdfastApp.ts", import.meta.url),
      mode: "development",
      host: "127.0.0.1",
      port: 0,
      data: folder,
      origins: [],
      version: "bench",
      admission,
      log,
    });
    return { url: server.url, version: "this commit", pid: process.pid };
  },
  usage: ownUsage,
  stalledSockets: () =>
    sockets.length === 0
      ? -1
      : sockets.filter((socket) => (socket.deref()?.writableLength ?? 0) > stalledBytesMin).length,
};

serveCalls(face, () => server?.close());
