/**
 * The {@link ServerSocket} over `ws`: a thin shell.
 *
 * Frames are written to the raw socket, encoded by us and shared by all readers; `ws` reads, answers
 * protocol pings and closes. That is sound only without permessage-deflate, which is off. Every socket has
 * an `error` listener from before the upgrade completes: one packet must not end the process.
 */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { ServerSocket, ServerSocketEvents } from "./serverSocket.ts";

const closeReasonBytesMax = 123;

export function wrapWebSocket(webSocket: WebSocket, raw: Duplex, events: () => ServerSocketEvents): ServerSocket {
  webSocket.on("message", (data, isBinary) => {
    if (isBinary) events().binary();
    else events().text(data.toString(), (data as Buffer).length);
  });
  // What was wrong arrives as the close code; the error itself has nothing more to say.
  webSocket.on("error", () => {});
  webSocket.on("close", (code, reason) => events().closed(code, reason.toString()));
  raw.on("drain", () => events().drained());
  raw.on("data", (chunk: Buffer) => events().bytes(chunk.length));
  return {
    write: (frame) => {
      if (raw.writable && webSocket.readyState === webSocket.OPEN) raw.write(frame);
    },
    get unsentBytes() {
      return raw.writableLength;
    },
    close: (code, reason) => webSocket.close(code, cut(reason)),
    terminate: () => webSocket.terminate(),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
  };
}

/** A close frame carries at most 123 bytes of reason, cut between characters. */
function cut(reason: string): string {
  let text = reason;
  while (Buffer.byteLength(text) > closeReasonBytesMax) text = text.slice(0, -1);
  return text;
}
