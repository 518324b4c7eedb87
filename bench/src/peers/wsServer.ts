/** Bare `ws`, as most programs use it: one `send` for each message and client. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { serveCalls } from "../processes/calls.ts";
import { ownUsage } from "../processes/usage.ts";
import { packageVersion } from "./packageVersion.ts";
import type { ServerFace } from "./serverFace.ts";

const listenBacklog = 16_384;
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
const readers = new Set<WebSocket>();

server.on("connection", (socket, request) => {
  socket.on("error", () => socket.terminate());
  if (request.url !== "/publish") {
    readers.add(socket);
    socket.on("close", () => readers.delete(socket));
    return;
  }
  socket.on("message", (data, binary) => {
    for (const reader of readers) reader.send(data, { binary });
  });
});

const face: ServerFace = {
  start: () =>
    new Promise((resolve) => {
      http.listen({ host: "127.0.0.1", port: 0, backlog: listenBacklog }, () => {
        resolve({
          url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
          version: packageVersion("ws"),
          pid: process.pid,
        });
      });
    }),
  usage: ownUsage,
  stalledSockets: () => -1,
};

serveCalls(face, () => {});
