/**
 * The client's transport over bare TCP: Node's own WebSocket takes five times the time and memory, `ws` twice, and a
 * crowd of thousands would measure that. What a session is told is the same, and nothing of it is decided here.
 *
 * Life cycle of a socket: dialled → handshake → frames → ended, told once. Invariant: what is no answer of a
 * WebSocket server ends it as a lost one. It checks no more than a crowd needs: the server's frames are whole and
 * its own, and its masks are zeros.
 */
import { connect, type Socket } from "node:net";
import type { ClientSocket, ClientSocketEvents, Transport } from "@holdfast/protocol";
import { closeFrame, handshake, textFrame } from "../openings/rawClient.ts";

const lost = 1006;
const headEnd = "\r\n\r\n";
const accepted = Buffer.from("HTTP/1.1 101 ");
const opcodes = { text: 1, close: 8 } as const;
const codeBytes = 2;
const noCode = 1005;

export const lightTransport: Transport = {
  open: (url, _protocols, events) => new LightSocket(new URL(url), events),
};

/** A class, so that ten thousand share their functions. */
class LightSocket implements ClientSocket {
  readonly #socket: Socket;
  readonly #events: ClientSocketEvents;
  /** What came and is not read yet. */
  #kept: Buffer = Buffer.alloc(0);
  #isOpen = false;
  #end = { code: lost, reason: "" };

  constructor({ hostname, port }: URL, events: ClientSocketEvents) {
    this.#events = events;
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on("connect", () => this.#socket.write(handshake(Number(port))));
    this.#socket.on("data", (chunk) => this.#hear(chunk));
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => events.closed(this.#end.code, this.#end.reason));
  }

  send(text: string): void {
    if (this.#isOpen && this.#socket.writable) this.#socket.write(textFrame(text));
  }

  close(code: number): void {
    if (this.#isOpen && code !== lost) this.#socket.end(closeFrame(code));
    else this.#socket.destroy();
  }

  #hear(chunk: Buffer): void {
    this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    if (!this.#isOpen && !this.#shakeHands()) return;
    for (let frame = frameOf(this.#kept); frame !== undefined; frame = frameOf(this.#kept)) {
      this.#kept = this.#kept.subarray(frame.bytes);
      if (frame.opcode === opcodes.text) this.#events.received(frame.payload.toString());
      else if (frame.opcode === opcodes.close) this.#leave(frame.payload);
    }
  }

  #shakeHands(): boolean {
    const end = this.#kept.indexOf(headEnd);
    if (end === -1) return false;
    if (!this.#kept.subarray(0, accepted.length).equals(accepted)) {
      this.#socket.destroy();
      return false;
    }
    this.#kept = this.#kept.subarray(end + headEnd.length);
    this.#isOpen = true;
    this.#events.opened();
    return true;
  }

  #leave(payload: Buffer): void {
    const code = payload.length < codeBytes ? noCode : payload.readUInt16BE(0);
    this.#end = { code, reason: payload.subarray(codeBytes).toString() };
    this.#socket.end(closeFrame(code));
  }
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** With its head. */
  readonly bytes: number;
}

/** The first frame of what came; undefined where it is not whole. A server masks nothing. */
function frameOf(kept: Buffer): Frame | undefined {
  const [first = 0, short = 0] = kept;
  if (kept.length < 2) return undefined;
  const head = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (kept.length < head) return undefined;
  const length = short === 127 ? Number(kept.readBigUInt64BE(2)) : short === 126 ? kept.readUInt16BE(2) : short;
  if (kept.length < head + length) return undefined;
  return { opcode: first & 0x0f, payload: kept.subarray(head, head + length), bytes: head + length };
}
