/**
 * A peer on a raw TCP socket: it says what it likes, byte by byte, and remembers what it was told.
 *
 * Life cycle: dial → (handshake) → bytes → an {@link Ending}. It never throws because of what the server
 * does: how it ended is data for the test to judge.
 */
import { connect, type Socket } from "node:net";
import { createFrameReader, messagesFrame, opcodes } from "./rawFrame.ts";

const waitMsMax = 15_000;
const key = "dGhlIHNhbXBsZSBub25jZQ==";

export interface Ending {
  /** The code of the server's close frame; undefined where none came. */
  readonly code: number | undefined;
  readonly reason: string;
  /** The code of the last `bye`. */
  readonly bye: number | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: what a server says is looked at by tests, field by field
export type Said = Record<string, any>;

export interface RawPeer {
  readonly socket: Socket;
  /** The HTTP answer's head; empty until it came. */
  readonly head: string;
  readonly status: number;
  readonly said: Said[];
  readonly pongs: number;
  readonly ended: Promise<Ending>;
  write(...bytes: readonly (string | Uint8Array)[]): void;
  send(...messages: readonly unknown[]): void;
  /** The next message that fits, taken out; rejects after 15 s or where the socket ended. */
  next(type: string, fits?: (message: Said) => boolean): Promise<Said>;
  /** Resolves with the HTTP answer's status, 0 where the socket ended without one. */
  answered(): Promise<number>;
  reset(): void;
}

/** The bytes of a good handshake, with other or further headers (undefined leaves one out). */
export function handshake(
  port: number,
  changes: Readonly<Record<string, string | undefined>> = {},
  line?: string,
): string {
  const headers: Record<string, string | undefined> = {
    Host: `127.0.0.1:${port}`,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "holdfast.v1",
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${line ?? "GET /ws HTTP/1.1"}\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** A TCP connection that has said nothing. One that `lingers` does not leave when it is told to. */
export function dial(port: number, lingers = false): RawPeer {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: lingers });
  const said: Said[] = [];
  const wakers = new Set<() => void>();
  const read = createFrameReader();
  let head = "";
  let isOpen = false;
  let isGone = false;
  let pongs = 0;
  let close: { code: number; reason: string } | undefined;

  const hearFrames = (chunk: Buffer): void => {
    for (const { opcode, payload } of read(chunk)) {
      if (opcode === opcodes.pong) pongs += 1;
      if (opcode === opcodes.text) said.push(...(JSON.parse(payload.toString()) as Said[]));
      if (opcode === opcodes.close)
        close = { code: payload.length < 2 ? 1005 : payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
      if (opcode === opcodes.close && !lingers) socket.end();
    }
  };
  socket.on("data", (chunk) => {
    if (isOpen) hearFrames(chunk);
    else {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end >= 0 && head.startsWith("HTTP/1.1 101")) {
        isOpen = true;
        const rest = Buffer.from(head.slice(end + 4), "latin1");
        head = head.slice(0, end);
        if (rest.length > 0) hearFrames(rest);
      }
    }
    for (const wake of wakers) wake();
  });
  socket.on("error", () => {});
  const ended = new Promise<Ending>((resolve) => {
    socket.on("close", () => {
      isGone = true;
      for (const wake of wakers) wake();
      const bye = said.findLast((message) => message["type"] === "bye");
      resolve({ code: close?.code, reason: close?.reason ?? "", bye: bye?.["code"] as number | undefined });
    });
  });

  const until = <Value>(what: string, look: () => Value | undefined): Promise<Value> =>
    new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        wakers.delete(wake);
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`no ${what} within ${waitMsMax} ms; said: ${JSON.stringify(said).slice(0, 1_000)}`));
      }, waitMsMax);
      const wake = (): void => {
        const value = look();
        if (value === undefined && !isGone) return;
        done();
        if (value !== undefined) resolve(value);
        else
          reject(
            new Error(
              `the socket ended (${close?.code}) before ${what}; ${head.slice(0, 300)} ${JSON.stringify(said).slice(0, 1_000)}`,
            ),
          );
      };
      wakers.add(wake);
      wake();
    });

  return {
    socket,
    get head() {
      return head;
    },
    get status() {
      return Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? "0");
    },
    said,
    get pongs() {
      return pongs;
    },
    ended,
    write: (...bytes) => {
      for (const part of bytes) if (socket.writable) socket.write(part);
    },
    send: (...messages) => void (socket.writable && socket.write(messagesFrame(...messages))),
    next: (type, fits = () => true) =>
      until(`"${type}"`, () => {
        const index = said.findIndex((message) => message["type"] === type && fits(message));
        return index < 0 ? undefined : said.splice(index, 1)[0];
      }),
    answered: () =>
      until("answer", () => (head.includes("\r\n") ? Number(head.slice(9, 12)) : undefined)).catch(() => 0),
    reset: () => void socket.resetAndDestroy(),
  };
}

/** A peer whose upgrade was accepted. */
export async function upgraded(
  port: number,
  changes: Readonly<Record<string, string | undefined>> = {},
  lingers = false,
): Promise<RawPeer> {
  const peer = dial(port, lingers);
  peer.write(handshake(port, changes));
  const status = await peer.answered();
  if (status !== 101) throw new Error(`the upgrade got ${status}`);
  return peer;
}
