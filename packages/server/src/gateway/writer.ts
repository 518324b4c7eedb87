/**
 * What goes out on one connection: answers first, then events.
 *
 * Answers of one turn share a frame; they are flushed at the end of the turn, or at once when an events
 * frame follows, so that order holds. Nothing is queued here beyond a turn: what the network does not take
 * is seen in {@link Writer.unsentBytes}, and readers without room keep only a cursor (ST-11).
 */
import { limits, type ServerMessage } from "@holdfast/protocol";
import type { Tally } from "../observe/connectionRecord.ts";
import type { Observer } from "../observe/observer.ts";
import { encodeTextFrame } from "./frame.ts";
import type { ServerSocket } from "./serverSocket.ts";

export interface Writer {
  /** Queues a message for this turn's frame. */
  send(message: ServerMessage): void;
  /** Writes an encoded, shared frame after everything queued. */
  writeFrame(frame: Uint8Array): void;
  flush(): void;
  readonly unsentBytes: number;
  /** Of those, bytes of answers: what this peer asked for faster than it takes (AD-5). */
  readonly unsentAnswerBytes: number;
  /** The network took everything. */
  drained(): void;
  readonly messagesSent: number;
  readonly bytesSent: number;
}

/** Every refusal goes out here, so here they are counted. */
export function createWriter(socket: ServerSocket, tally: Tally, observer: Observer): Writer {
  return new SocketWriter(socket, tally, observer);
}

/** A class, so that ten thousand idle writers share their functions: closures and getters of each cost 1.1 KiB. */
class SocketWriter implements Writer {
  readonly #socket: ServerSocket;
  readonly #tally: Tally;
  readonly #observer: Observer;
  #queued: string[] = [];
  #queuedBytes = 0;
  #scheduled = false;
  /** Answers written since everything was last taken; an upper bound of those unsent. */
  #answerBytes = 0;
  messagesSent = 0;
  bytesSent = 0;

  constructor(socket: ServerSocket, tally: Tally, observer: Observer) {
    this.#socket = socket;
    this.#tally = tally;
    this.#observer = observer;
  }

  send(message: ServerMessage): void {
    const json = JSON.stringify(message);
    if (this.#queuedBytes + json.length > limits.frameTargetBytes) this.flush();
    this.#queued.push(json);
    this.#queuedBytes += json.length;
    this.messagesSent += 1;
    const code = refusalOf(message);
    if (code !== undefined) this.#count(message.type, code);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.flush());
  }

  #count(type: string, code: string): void {
    this.#tally.error(code);
    this.#observer.failure(type, code);
  }

  writeFrame(frame: Uint8Array): void {
    this.flush();
    this.bytesSent += frame.length;
    this.messagesSent += 1;
    this.#socket.write(frame);
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#queued.length === 0) return;
    const frame = encodeTextFrame(`[${this.#queued.join(",")}]`);
    this.#queued = [];
    this.#queuedBytes = 0;
    this.bytesSent += frame.length;
    this.#answerBytes = (this.#socket.unsentBytes === 0 ? 0 : this.#answerBytes) + frame.length;
    this.#socket.write(frame);
  }

  get unsentBytes(): number {
    return this.#socket.unsentBytes + this.#queuedBytes;
  }

  get unsentAnswerBytes(): number {
    return Math.min(this.#socket.unsentBytes, this.#answerBytes) + this.#queuedBytes;
  }

  drained(): void {
    this.#answerBytes = 0;
  }
}

/** The code of what is refused; undefined where nothing is. */
function refusalOf(message: ServerMessage): string | undefined {
  switch (message.type) {
    case "error":
      return message.code;
    case "response":
      return message.error?.code;
    case "refused":
      return message.error.code;
    default:
      return undefined;
  }
}
