/**
 * The platform as ports: clock, chance and the global `WebSocket`, in browsers and in Node ≥ 22 alike.
 *
 * Every outcome of an attempt arrives as `closed`, a malformed URL included (X12). A socket that was
 * closed by us is forgotten at once, however long the platform keeps it in CLOSING.
 */
import { type Clock, closeCodes, type Random, type Transport } from "@holdfast/protocol";

/** `setTimeout` fires at once beyond this. */
const timerMsMax = 2 ** 31 - 1;

export const platformClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => setTimeout(run, Math.min(timerMsMax, Math.max(0, ms))),
  cancel: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

export const platformRandom: Random = {
  fraction: () => Math.random(),
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
};

export const platformTransport: Transport = {
  open(url, protocols, events) {
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, [...protocols]);
    } catch (error) {
      queueMicrotask(() => events.closed(closeCodes.lost, String(error)));
      return { send: () => {}, close: () => {} };
    }
    socket.onopen = () => events.opened();
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") events.received(data);
    };
    socket.onclose = ({ code, reason }) => events.closed(code, reason);
    return {
      send(frame) {
        if (socket.readyState === WebSocket.OPEN) socket.send(frame);
      },
      close(code, reason) {
        socket.close(code, reason);
      },
    };
  },
};
