/**
 * NATS's text protocol over a WebSocket: the few lines that a reader and a publisher need.
 *
 * It is a stream of bytes in which frames mean nothing: a message may begin in one and end in another.
 */
import { eventText, readEvents } from "../event.ts";
import type { Delivery, Dialect } from "./dialect.ts";
import type { ClientSocket, FrameSink } from "./webSocket.ts";

const subject = "bench.a";
const connectLine =
  'CONNECT {"verbose":false,"pedantic":false,"echo":false,"lang":"bench","version":"1","protocol":1}\r\n';
const newline = 10;
const carriageReturn = 13;
const space = 32;
const zero = 48;
const letterM = 77;

const socketUrl = (url: string): string => url.replace(/^http/, "ws");

export const natsDialect: Dialect = {
  binary: true,
  readerUrl: socketUrl,
  publisherUrl: socketUrl,
  reader({ whole }, delivery) {
    let socket: ClientSocket | undefined;
    const say = (line: string): void => socket?.send(line);
    return {
      ...createParser(whole, say, delivery),
      opened(opened) {
        socket = opened;
        say(`${connectLine}SUB ${subject} 1\r\nPING\r\n`);
      },
      beat: () => {},
    };
  },
  publisher({ eventBytes, ready, fault }) {
    let socket: ClientSocket | undefined;
    const say = (line: string): void => socket?.send(line);
    const delivery: Delivery = { ready, fault, events: () => {}, event: () => {} };
    return {
      ...createParser(false, say, delivery),
      opened(opened) {
        socket = opened;
        say(`${connectLine}PING\r\n`);
      },
      beat: () => {},
      publish(first, count, microseconds) {
        const lines = Array.from(
          { length: count },
          (_, index) => `PUB ${subject} ${eventBytes}\r\n${eventText(first + index, microseconds, eventBytes)}\r\n`,
        );
        socket?.send(lines.join(""));
      },
      unconfirmed: 0,
    };
  },
};

/** Counts `MSG` lines and skips their payloads; `whole` keeps the payloads and reads them. */
function createParser(whole: boolean, say: (line: string) => void, delivery: Delivery): FrameSink {
  let skip = 0;
  let partial = "";
  let payload = "";

  const line = (text: string): void => {
    if (text.startsWith("MSG ")) message(Number(text.slice(text.lastIndexOf(" ") + 1)));
    else if (text === "PING") say("PONG\r\n");
    else if (text === "PONG") delivery.ready();
    else if (text.startsWith("-ERR")) delivery.fault(text);
  };
  const message = (bytes: number): void => {
    skip = bytes + 2;
    payload = "";
    delivery.events(1);
  };
  /** The length at the end of a whole `MSG` line from `at` on; -1 where it is none or not whole. */
  const quickLength = (chunk: Buffer, at: number, end: number): number => {
    if (chunk[at] !== letterM) return -1;
    let number = 0;
    for (let index = at + 4; index < end; index += 1) {
      const byte = chunk[index] ?? 0;
      if (byte === carriageReturn) {
        quickEnd = index + 2;
        return quickEnd <= end ? number : -1;
      }
      number = byte === space ? 0 : number * 10 + byte - zero;
    }
    return -1;
  };
  let quickEnd = 0;

  return {
    frameBegins: () => {},
    frameEnds: () => {},
    piece(chunk, start, end) {
      let at = start;
      while (at < end) {
        if (skip > 0) {
          const until = Math.min(end, at + skip);
          if (whole) payload += chunk.toString("latin1", at, until);
          skip -= until - at;
          at = until;
          if (skip === 0 && whole) readEvents(payload, delivery.event);
          continue;
        }
        const bytes = partial === "" ? quickLength(chunk, at, end) : -1;
        if (bytes >= 0) {
          message(bytes);
          at = quickEnd;
          continue;
        }
        const stop = chunk.indexOf(newline, at);
        if (stop < 0 || stop >= end) {
          partial += chunk.toString("latin1", at, end);
          return;
        }
        const text = partial + chunk.toString("latin1", at, stop);
        partial = "";
        at = stop + 1;
        line(text.endsWith("\r") ? text.slice(0, -1) : text);
      }
    },
    ended: (detail) => delivery.fault(`the connection ended: ${detail}`),
  };
}
