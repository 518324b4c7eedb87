/**
 * The platform's network as ports: the global `WebSocket` and `fetch`, in browsers and in Node ≥ 22 alike.
 *
 * Every outcome of an attempt arrives as `closed`, a malformed URL included (X12). A socket that was
 * closed by us is forgotten at once, however long the platform keeps it in CLOSING.
 */
import { lostClose, type Transport } from "@holdfast/protocol";
import type { SessionHttp } from "../api.ts";

/** No answer within this is none. */
const httpTimeoutMs = 10_000;

export const platformTransport: Transport = {
  open(url, protocols, events) {
    let socket: WebSocket;
    // Our own word for it: not every platform's socket has the state that a browser's has (F15).
    let isOpen = false;
    try {
      socket = new WebSocket(url, [...protocols]);
    } catch (error) {
      queueMicrotask(() => events.closed(lostClose, String(error)));
      return { send: () => {}, close: () => {} };
    }
    socket.onopen = () => {
      isOpen = true;
      events.opened();
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") events.received(data);
    };
    socket.onclose = ({ code, reason }) => {
      isOpen = false;
      events.closed(code, reason);
    };
    return {
      send(frame) {
        if (isOpen) socket.send(frame);
      },
      close(code, reason) {
        isOpen = false;
        socket.close(code, reason);
      },
    };
  },
};

/** `fetch` at the socket's origin, with the browser's cookies. */
export function platformHttp(url: () => string): SessionHttp {
  return async (method, path) => {
    const response = await fetch(new URL(path, url().replace(/^ws/, "http")), {
      method,
      cache: "no-store",
      credentials: "include",
      signal: AbortSignal.timeout(httpTimeoutMs),
      ...(method === "POST" && { headers: { "content-type": "application/json" }, body: "{}" }),
    });
    return { status: response.status, body: await response.json().catch(() => undefined) };
  };
}

/** Windows and workers have an address and cookies; a Node process has neither. */
export function hasCookies(): boolean {
  return "location" in globalThis;
}

/** Where the program does not want to know. */
export function warn(problem: Error): void {
  console.warn("holdfast:", problem);
}
