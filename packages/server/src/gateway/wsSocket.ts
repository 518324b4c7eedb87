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

/** Wraps an upgraded socket; `connect` is given the wrapped one at once and says where its events go. */
export function wrapWebSocket(
  webSocket: WebSocket,
  raw: Duplex,
  connect: (socket: ServerSocket) => ServerSocketEvents,
): void {
  const events = connect(new WebSocketSocket(webSocket, raw));
  webSocket.on("message", (data, isBinary) => {
    if (isBinary) events.binary();
    else events.text(data.toString(), (data as Buffer).length);
  });
  webSocket.on("error", ignore);
  webSocket.on("close", (code, reason) => events.closed(code, reason.toString()));
  raw.on("drain", events.drained);
  raw.on("data", (chunk: Buffer) => events.bytes(chunk.length));
}

/** What was wrong arrives as the close code; the error itself has nothing more to say. */
const ignore = (): void => {};

/** A class, so that ten thousand idle sockets share its functions. */
class WebSocketSocket implements ServerSocket {
  readonly #webSocket: WebSocket;
  readonly #raw: Duplex;

  constructor(webSocket: WebSocket, raw: Duplex) {
    this.#webSocket = webSocket;
    this.#raw = raw;
  }

  write(frame: Uint8Array): void {
    if (this.#raw.writable && this.#webSocket.readyState === this.#webSocket.OPEN) this.#raw.write(frame);
  }

  get unsentBytes(): number {
    return this.#raw.writableLength;
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, cut(reason));
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }
}

/** A close frame carries at most 123 bytes of reason, cut between characters. */
function cut(reason: string): string {
  let text = reason;
  while (Buffer.byteLength(text) > closeReasonBytesMax) text = text.slice(0, -1);
  return text;
}
