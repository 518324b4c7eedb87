/**
 * A connection that can be broken off at any byte: TCP, the bytes of a handshake, frames without a library.
 *
 * Life cycle: dialled → bytes → ended, by whichever side. Invariant: it keeps no more of what it hears than the last
 * {@link heardBytesMax}, since it only looks for words in it. It deliberately judges nothing.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const heardBytesMax = 64 * 1024;
const waitMsMax = 60_000;
/** Any 16 bytes do (RFC 6455, 4.1). */
const key = Buffer.alloc(16, "k").toString("base64");
const lastFrame = 0x80;
const masked = 0x80;
const opcodes = { text: 1, close: 8 } as const;

export interface RawClient {
  write(...bytes: readonly (string | Uint8Array)[]): void;
  /** Resolves when this text came, or the other side ended; says which. */
  hears(text: string): Promise<boolean>;
  /** The other side's end, or ours, is here. */
  readonly ended: Promise<unknown>;
  /** Ends our side and waits for the other's. */
  end(): Promise<unknown>;
  /** RST. */
  reset(): void;
}

export async function dial(port: number): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let heard = "";
  const lookers = new Set<() => void>();
  const look = (): void => {
    for (const one of lookers) one();
  };
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    heard = (heard + chunk.toString("latin1")).slice(-heardBytesMax);
    look();
  });
  const ended = new Promise<void>((done) => socket.once("close", () => done()));
  void ended.then(look);
  await connected(socket);
  return {
    write: (...bytes) => {
      for (const part of bytes) if (socket.writable) socket.write(part);
    },
    hears: (text) =>
      new Promise((resolve, reject) => {
        const settle = (answer: boolean | Error): void => {
          clearTimeout(timer);
          lookers.delete(one);
          if (answer instanceof Error) reject(answer);
          else resolve(answer);
        };
        const one = (): void => {
          if (heard.includes(text)) settle(true);
          else if (socket.destroyed) settle(false);
        };
        const timer = setTimeout(() => {
          settle(new Error(`no ${text} within ${waitMsMax} ms; heard ${heard.slice(-400)}`));
        }, waitMsMax);
        lookers.add(one);
        one();
      }),
    ended,
    end: () => {
      socket.end();
      return ended;
    },
    reset: () => void socket.resetAndDestroy(),
  };
}

/** The bytes of a good handshake, with further headers. */
export function handshake(port: number, headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    Host: `127.0.0.1:${port}`,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "holdfast.v1",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `GET /ws HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** A text frame; its mask of zeros leaves the bytes as they are. */
export function textFrame(text: string): Buffer {
  return frame(opcodes.text, Buffer.from(text));
}

export function closeFrame(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return frame(opcodes.close, payload);
}

function frame(opcode: number, payload: Buffer): Buffer {
  const isShort = payload.length < 126;
  const head = Buffer.alloc((isShort ? 2 : 4) + 4);
  head[0] = lastFrame | opcode;
  head[1] = masked | (isShort ? payload.length : 126);
  if (!isShort) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

/** A socket that could not even connect is a failure of the test, not of the server. */
async function connected(socket: Socket): Promise<void> {
  await Promise.race([
    once(socket, "connect"),
    once(socket, "close").then(() => Promise.reject(socket.errored ?? new Error("ended before it was connected"))),
  ]);
}
