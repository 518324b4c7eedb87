/** Who is measured: each peer's server program, and how its clients speak. */
import type { Dialect } from "../wire/dialect.ts";
import { holdfastDialect } from "../wire/holdfastDialect.ts";
import { natsDialect } from "../wire/natsDialect.ts";
import { socketIoDialect, wsDialect } from "../wire/plainDialects.ts";

export const peerNames = ["holdfast", "nats", "ws", "socketio"] as const;
export type PeerName = (typeof peerNames)[number];

export interface Peer {
  /** The server's program, to be started as a child. */
  readonly server: URL;
  readonly dialect: Dialect;
  /** What it does with an event, in a few words: figures mean nothing without it. */
  readonly does: string;
}

export const peers: Readonly<Record<PeerName, Peer>> = {
  holdfast: {
    server: new URL("./holdfastServer.ts", import.meta.url),
    dialect: holdfastDialect,
    does: "every event durable first (SQLite FULL), shared frames",
  },
  nats: {
    server: new URL("./natsServer.ts", import.meta.url),
    dialect: natsDialect,
    does: "core NATS over WebSocket, stores nothing",
  },
  ws: {
    server: new URL("./wsServer.ts", import.meta.url),
    dialect: wsDialect,
    does: "one send a message and client, stores nothing",
  },
  socketio: {
    server: new URL("./socketioServer.ts", import.meta.url),
    dialect: socketIoDialect,
    does: "one broadcast emit an event, stores nothing",
  },
};
