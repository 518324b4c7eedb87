/**
 * The client's transport over `ws`: Node's own WebSocket takes three times the time and memory, and a crowd of
 * thousands would measure that. What a session is told is the same, and nothing of it is decided here.
 */
import type { Transport } from "@holdfast/protocol";
import WebSocket from "ws";

const closedByUs = 1006;

export const lightTransport: Transport = {
  open(url, protocols, events) {
    const socket = new WebSocket(url, [...protocols], { perMessageDeflate: false, skipUTF8Validation: true });
    socket.on("open", () => events.opened());
    socket.on("message", (data) => events.received(String(data)));
    socket.on("error", () => {});
    socket.on("close", (code, reason) => events.closed(code, reason.toString()));
    return {
      send(frame) {
        if (socket.readyState === WebSocket.OPEN) socket.send(frame);
      },
      close(code, reason) {
        if (code === closedByUs) socket.terminate();
        else socket.close(code, reason);
      },
    };
  },
};
