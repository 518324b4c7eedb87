/**
 * The client's ports in a Node process that has a browser's credential: sockets and HTTP with the cookie, through a proxy.
 *
 * Each attempt, its opening and its end are told, and how many sockets are owned: what the judge needs to see of
 * connections. It deliberately decides nothing; when to connect is the session's.
 */
import { connect } from "node:net";
import type { SessionHttp } from "@holdfast/client/http";
import { closeCodes, type Transport } from "@holdfast/protocol";
import WebSocket from "ws";
import { ask, cookieOf, type Door } from "./signIn.ts";

export interface ConnectionListener {
  attempted(): void;
  closed(code: number): void;
  /** Sockets that are open or opening and were not given up. */
  owned(count: number): void;
}

export function cookieTransport(door: Door, listener: ConnectionListener): Transport {
  let owned = 0;
  const own = (change: number): void => {
    owned += change;
    listener.owned(owned);
  };
  return {
    open(url, protocols, events) {
      listener.attempted();
      own(1);
      const { origin } = new URL(door.url);
      const cookie = cookieOf(door);
      const socket = new WebSocket(url, [...protocols], {
        perMessageDeflate: false,
        createConnection: () => connect({ port: door.via, host: "127.0.0.1", noDelay: true }),
        headers: { origin, ...(cookie === undefined ? {} : { cookie }) },
      });
      let isOver = false;
      const over = (code: number): void => {
        if (isOver) return;
        isOver = true;
        own(-1);
        listener.closed(code);
      };
      socket.on("open", () => events.opened());
      socket.on("message", (frame, isBinary) => {
        if (!isBinary) events.received(String(frame));
      });
      // Its reason comes with `close`.
      socket.on("error", () => {});
      socket.on("close", (code, reason) => {
        over(code);
        events.closed(code === 0 ? closeCodes.lost : code, reason.toString());
      });
      return {
        send(frame) {
          if (socket.readyState === WebSocket.OPEN) socket.send(frame);
        },
        close(code, reason) {
          // Given up by the session: it is owned no longer, however long the other side takes.
          over(code);
          if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
          else socket.close(code, reason);
        },
      };
    },
  };
}

export function cookieHttp(door: Door): SessionHttp {
  return async (method, path) => await ask(door, method, path);
}
