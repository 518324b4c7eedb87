/** Socket.IO 4, WebSocket only: one broadcast `emit` for each event, with whatever batching it does itself. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { serveCalls } from "../processes/calls.ts";
import { ownUsage } from "../processes/usage.ts";
import { packageVersion } from "./packageVersion.ts";
import type { ServerFace } from "./serverFace.ts";

const listenBacklog = 16_384;
const http = createServer();
const server = new Server(http, { transports: ["websocket"], perMessageDeflate: false });

server.on("connection", (socket) => {
  socket.on("publish", (event: unknown) => socket.broadcast.emit("tick", event));
});

const face: ServerFace = {
  start: () =>
    new Promise((resolve) => {
      http.listen({ host: "127.0.0.1", port: 0, backlog: listenBacklog }, () => {
        const { port } = http.address() as AddressInfo;
        resolve({ url: `http://127.0.0.1:${port}`, version: packageVersion("socket.io"), pid: process.pid });
      });
    }),
  usage: ownUsage,
  stalledSockets: () => -1,
};

serveCalls(face, () => {});
