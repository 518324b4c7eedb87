/**
 * The {@link ServerSocket} over `ws`: a thin shell.
 *
 * Frames are written to the raw socket, encoded by us and shared by all readers; `ws` reads, answers
 * protocol pings and closes. That is sound only without permessage-deflate, which is off. Every socket has
 * an `error` listener from before the upgrade completes: one packet must not end the process.
 */
import type { Duplex } from "node:stream";
import type { Clock } from "@holdfast/protocol";
import type { RawData, WebSocket } from "ws";
import type { ServerSocket, ServerSocketEvents } from "./serverSocket.ts";
import { createLine, type Line, type Weather } from "./weather.ts";

const closeReasonBytesMax = 123;

/** Wraps an upgraded socket; `connect` is given the wrapped one at once and says where its events go. */
export function wrapWebSocket(
  webSocket: WebSocket,
  raw: Duplex,
  connect: (socket: ServerSocket) => ServerSocketEvents,
): void {
  const socket = new WebSocketSocket(webSocket, raw);
  const events = connect(socket);
  webSocket.on("message", (data, isBinary) => {
    if (socket.line !== undefined) socket.line.pass(() => hear(events, data, isBinary));
    else hear(events, data, isBinary);
  });
  webSocket.on("error", ignore);
  webSocket.on("close", (code, reason) => {
    socket.line?.end();
    events.closed(code, reason.toString());
  });
  raw.on("drain", events.drained);
  raw.on("data", (chunk: Buffer) => events.bytes(chunk.length));
}

function hear(events: ServerSocketEvents, data: RawData, isBinary: boolean): void {
  if (isBinary) events.binary();
  else events.text(data.toString(), (data as Buffer).length);
}

/** What was wrong arrives as the close code; the error itself has nothing more to say. */
const ignore = (): void => {};

/** A class, so that ten thousand idle sockets share its functions. */
class WebSocketSocket implements ServerSocket {
  readonly #webSocket: WebSocket;
  readonly #raw: Duplex;
  /** Only where somebody asked for weather. */
  line: Line | undefined;

  constructor(webSocket: WebSocket, raw: Duplex) {
    this.#webSocket = webSocket;
    this.#raw = raw;
    this.line = undefined;
  }

  write(frame: Uint8Array): void {
    if (this.line === undefined) this.#write(frame);
    else this.line.pass(() => this.#write(frame), frame.length);
  }

  #write(frame: Uint8Array): void {
    if (this.#raw.writable && this.#webSocket.readyState === this.#webSocket.OPEN) this.#raw.write(frame);
  }

  get unsentBytes(): number {
    return this.#raw.writableLength + (this.line?.heldBytes ?? 0);
  }

  close(code: number, reason: string): void {
    // What was written before it comes first, and nothing comes over a half-open line.
    if (this.line === undefined) this.#webSocket.close(code, cut(reason));
    else this.line.pass(() => this.#webSocket.close(code, cut(reason)));
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

  disturb(weather: Weather, clock: Clock): void {
    if (weather === "cut") {
      this.#raw.destroy();
      return;
    }
    // A line that was let go of (a slow reader) hears of its room by the same word as from the network.
    this.line ??= createLine(clock, () => this.#raw.emit("drain"));
    this.line.set(weather);
  }
}

/** A close frame carries at most 123 bytes of reason, cut between characters. */
function cut(reason: string): string {
  let text = reason;
  while (Buffer.byteLength(text) > closeReasonBytesMax) text = text.slice(0, -1);
  return text;
}
