/**
 * The platform's network as ports: the global `WebSocket` and `fetch`, in browsers and in Node ≥ 22 alike.
 *
 * Every outcome of an attempt arrives as `closed`, or, for a malformed URL, as a throw (X12). A socket that was
 * closed by us is forgotten at once, however long the platform keeps it in CLOSING.
 */
import type { Transport } from "@holdfast/protocol";
import type { AskServer } from "../api.ts";

export const platformTransport: Transport = {
  open(url, protocols, events) {
    const socket = new WebSocket(url, [...protocols]);
    // Our own word for it: not every platform's socket has the state that a browser's has (F15).
    let isOpen = false;
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

/** The part that asks over HTTP, loaded when it is first asked. What cannot be loaded is a server without an answer. */
export function platformHttp(url: () => string): AskServer {
  return async (refresh) => (await import("./platformHttp.ts")).askOrigin(url())(refresh);
}

/** Windows and workers have an address and cookies; a Node process has neither. */
export function hasCookies(): boolean {
  return typeof location !== "undefined";
}

/** Where the program does not want to know. */
export function warn(problem: Error): void {
  console.warn("holdfast:", problem);
}
