/**
 * A WebSocket client that costs next to nothing, for readers by the hundred on the machine that is measured.
 *
 * It hands a frame's payload on in the pieces in which it arrives and copies nothing; all sockets of a process
 * read into one buffer, so a piece is void after its callback. What a server may send (unmasked, unfragmented,
 * any length) is all it knows; anything else is an error, not a guess.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

export interface FrameSink {
  frameBegins(payloadBytes: number): void;
  /** A piece of the payload: `chunk` from `start` to `end`, void after the call. */
  piece(chunk: Buffer, start: number, end: number): void;
  frameEnds(): void;
  /** The connection ended; `detail` says how, where the server said. */
  ended(detail: string): void;
}

export interface ClientSocket {
  send(...payloads: readonly string[]): void;
  /** Bytes that the network has not taken. */
  readonly unsentBytes: number;
  pause(): void;
  resume(): void;
  destroy(): void;
}

export interface ConnectOptions {
  /** `ws://host:port/path` */
  readonly url: string;
  readonly protocol?: string;
  readonly localAddress?: string;
  readonly binary: boolean;
}

const readBytes = 256 * 1024;
const shared = Buffer.allocUnsafe(readBytes);
const fin = 0x80;
const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export function connectWebSocket(options: ConnectOptions, sink: FrameSink): Promise<ClientSocket> {
  const { hostname, port, pathname, search } = new URL(options.url);
  return new Promise((resolve, reject) => {
    let take: (end: number) => void = () => {};
    const local = options.localAddress === undefined ? {} : { localAddress: options.localAddress };
    const socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      ...local,
      onread: {
        buffer: shared,
        callback: (bytes) => {
          take(bytes);
          return true;
        },
      },
    });
    let answer = "";
    const frames = createFrames(sink, socket);
    take = (end) => {
      const before = answer.length;
      answer += shared.toString("latin1", 0, end);
      const head = answer.indexOf("\r\n\r\n");
      if (head < 0) return;
      if (!answer.startsWith("HTTP/1.1 101")) {
        reject(new Error(`${options.url} refused the upgrade: ${answer.slice(0, 200)}`));
        socket.destroy();
        return;
      }
      take = (bytes) => frames(shared, 0, bytes);
      resolve(clientSocket(socket, options.binary));
      const rest = head + 4 - before;
      // The promise's answer runs first: a server that speaks first is heard by a sink that is ready.
      if (rest < end) {
        const early = Buffer.from(shared.subarray(rest, end));
        queueMicrotask(() => frames(early, 0, early.length));
      }
    };
    socket.on("error", (error) => {
      reject(error);
      sink.ended(error.message);
    });
    socket.on("close", () => sink.ended("closed"));
    socket.on("connect", () => {
      const lines = [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
        ...(options.protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${options.protocol}`]),
      ];
      socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    });
  });
}

function clientSocket(socket: Socket, binary: boolean): ClientSocket {
  const opcode = binary ? opcodes.binary : opcodes.text;
  return {
    send: (...payloads) => {
      socket.write(Buffer.concat(payloads.map((payload) => clientFrame(Buffer.from(payload), opcode))));
    },
    get unsentBytes() {
      return socket.writableLength;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
  };
}

/** A client masks; the mask of zeros leaves the bytes as they are. */
function clientFrame(payload: Buffer, opcode: number): Buffer {
  const short = payload.length < 126;
  const middle = payload.length < 65_536;
  const head = Buffer.alloc((short ? 2 : middle ? 4 : 10) + 4);
  head[0] = fin | opcode;
  head[1] = 0x80 | (short ? payload.length : middle ? 126 : 127);
  if (!short && middle) head.writeUInt16BE(payload.length, 2);
  if (!middle) head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

/** Takes bytes as they come; keeps only a header that is not whole, and how much of a payload is left. */
function createFrames(sink: FrameSink, socket: Socket): (chunk: Buffer, start: number, end: number) => void {
  const head = Buffer.alloc(10);
  let headBytes = 0;
  let left = 0;
  let control: { opcode: number; pieces: Buffer[] } | undefined;

  const begin = (): void => {
    const opcode = (head[0] ?? 0) & 0x0f;
    control = opcode >= opcodes.close ? { opcode, pieces: [] } : undefined;
    if (control === undefined) sink.frameBegins(left);
    if (left === 0) finish();
  };
  const finish = (): void => {
    if (control === undefined) {
      sink.frameEnds();
      return;
    }
    const payload = Buffer.concat(control.pieces);
    if (control.opcode === opcodes.ping) socket.write(clientFrame(payload, opcodes.pong));
    else if (control.opcode === opcodes.close)
      sink.ended(`close ${payload.length < 2 ? 1005 : payload.readUInt16BE(0)} ${payload.subarray(2)}`);
  };

  return (chunk, start, end) => {
    let at = start;
    while (at < end) {
      if (left > 0) {
        const until = Math.min(end, at + left);
        if (control === undefined) sink.piece(chunk, at, until);
        else control.pieces.push(Buffer.from(chunk.subarray(at, until)));
        left -= until - at;
        at = until;
        if (left === 0) finish();
        continue;
      }
      head[headBytes++] = chunk[at++] ?? 0;
      if (headBytes < 2) continue;
      const short = (head[1] ?? 0) & 0x7f;
      const needed = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (headBytes < needed) continue;
      left = short < 126 ? short : short === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
      headBytes = 0;
      begin();
    }
  };
}
