/**
 * What goes out on one connection: answers first, then events.
 *
 * Answers of one turn share a frame; they are flushed at the end of the turn, or at once when an events
 * frame follows, so that order holds. Nothing is queued here beyond a turn: what the network does not take
 * is seen in {@link Writer.unsentBytes}, and readers without room keep only a cursor (ST-11).
 */
import { limits, type ServerMessage } from "@holdfast/protocol";
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

export function createWriter(socket: ServerSocket): Writer {
  let queued: string[] = [];
  let queuedBytes = 0;
  let scheduled = false;
  let messagesSent = 0;
  let bytesSent = 0;
  /** Answers written since everything was last taken; an upper bound of those unsent. */
  let answerBytes = 0;

  const flush = (): void => {
    scheduled = false;
    if (queued.length === 0) return;
    const frame = encodeTextFrame(`[${queued.join(",")}]`);
    queued = [];
    queuedBytes = 0;
    bytesSent += frame.length;
    answerBytes = (socket.unsentBytes === 0 ? 0 : answerBytes) + frame.length;
    socket.write(frame);
  };

  return {
    send(message) {
      const json = JSON.stringify(message);
      if (queuedBytes + json.length > limits.frameTargetBytes) flush();
      queued.push(json);
      queuedBytes += json.length;
      messagesSent += 1;
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(flush);
    },
    writeFrame(frame) {
      flush();
      bytesSent += frame.length;
      messagesSent += 1;
      socket.write(frame);
    },
    flush,
    get unsentBytes() {
      return socket.unsentBytes + queuedBytes;
    },
    get unsentAnswerBytes() {
      return Math.min(socket.unsentBytes, answerBytes) + queuedBytes;
    },
    drained() {
      answerBytes = 0;
    },
    get messagesSent() {
      return messagesSent;
    },
    get bytesSent() {
      return bytesSent;
    },
  };
}
