/** The bench's own clients: a reader that miscounts would make every figure a lie. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { eventText, readEvents, stream } from "../src/event.ts";
import type { Delivery } from "../src/wire/dialect.ts";
import { holdfastDialect } from "../src/wire/holdfastDialect.ts";
import { natsDialect } from "../src/wire/natsDialect.ts";
import { type ClientSocket, connectWebSocket, type FrameSink } from "../src/wire/webSocket.ts";

const eventBytes = 230;
const options = { eventBytes, from: "latest", subscribe: true } as const;

interface Heard extends Delivery {
  readonly log: { events: number; order: number[]; faults: string[]; ready: number };
}

function listen(): Heard {
  const log = { events: 0, order: [] as number[], faults: [] as string[], ready: 0 };
  return {
    log,
    ready: () => {
      log.ready += 1;
    },
    events: (count) => {
      log.events += count;
    },
    event: (n) => void log.order.push(n),
    fault: (what) => void log.faults.push(what),
  };
}

const silent: ClientSocket = { send: () => {}, unsentBytes: 0, pause: () => {}, resume: () => {}, destroy: () => {} };

/** One frame's payload in two pieces, cut at `at`. */
function feed(sink: FrameSink, text: string, at: number): void {
  const payload = Buffer.from(text);
  sink.frameBegins(payload.length);
  if (at > 0) sink.piece(payload, 0, at);
  if (at < payload.length) sink.piece(payload, at, payload.length);
  sink.frameEnds();
}

const run = (offset: number, numbers: readonly number[]): string =>
  `[{"type":"events","stream":"${stream}","offset":${offset},"head":99,"events":[${numbers.map((n) => eventText(n, 7, eventBytes)).join(",")}]}]`;

describe("the bench's readers", () => {
  it("an event has its bytes, and says its number and time", () => {
    const text = eventText(12, 345, eventBytes);
    expect(text).toHaveLength(eventBytes);
    const heard: number[][] = [];
    readEvents(text + text, (...event) => heard.push(event));
    expect(heard).toEqual([
      [12, 345],
      [12, 345],
    ]);
  });

  it.each([true, false])("counts runs of events wherever a frame is cut (whole: %s)", (whole) => {
    const text = run(5, [1, 2, 3]);
    for (let at = 0; at <= text.length; at += 1) {
      const heard = listen();
      const reader = holdfastDialect.reader({ ...options, whole }, heard);
      feed(reader, text, at);
      feed(reader, run(8, [4]), 0);
      expect(heard.log.events).toBe(4);
      expect(heard.log.faults).toEqual([]);
      expect(heard.log.order).toEqual(whole ? [1, 2, 3, 4] : []);
    }
  });

  it("names a gap, a repeat and an answer that must not come", () => {
    const heard = listen();
    const reader = holdfastDialect.reader({ ...options, whole: false }, heard);
    feed(reader, run(5, [1]), 0);
    feed(reader, run(7, [2]), 0);
    feed(reader, run(7, [2]), 0);
    feed(reader, '[{"type":"refused","of":"subscribe"}]', 0);
    reader.ended("close 4408");
    expect(heard.log.faults).toHaveLength(4);
    expect(heard.log.faults[0]).toContain("7 came where 6 was due");
  });

  it.each([true, false])("counts NATS messages wherever the stream is cut (whole: %s)", (whole) => {
    const message = (n: number): string => `MSG bench.a 1 ${eventBytes}\r\n${eventText(n, 7, eventBytes)}\r\n`;
    const text = `INFO {}\r\n${message(1)}PING\r\n${message(2)}PONG\r\n${message(3)}`;
    for (let at = 0; at <= text.length; at += 1) {
      const heard = listen();
      const reader = natsDialect.reader({ ...options, whole }, heard);
      reader.opened(silent);
      feed(reader, text, at);
      expect(heard.log).toMatchObject({ events: 3, ready: 1, faults: [] });
      expect(heard.log.order).toEqual(whole ? [1, 2, 3] : []);
    }
  });
});

describe("the bench's WebSocket client", () => {
  let server: WebSocketServer | undefined;
  afterEach(() => {
    for (const client of server?.clients ?? []) client.terminate();
    server?.close();
  });

  it("understands what ws sends, of any length, and is understood", async () => {
    const http = createServer();
    server = new WebSocketServer({ server: http });
    const accepted = new Promise<WebSocket>((resolve) => server?.once("connection", resolve));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    const sizes: number[] = [];
    let pieces = 0;
    const enough = Promise.withResolvers<void>();
    const sink: FrameSink = {
      frameBegins: () => {
        pieces = 0;
      },
      piece: (_, start, end) => {
        pieces += end - start;
      },
      frameEnds: () => {
        sizes.push(pieces);
        if (sizes.length === 6) enough.resolve();
      },
      ended: () => {},
    };
    const { port } = http.address() as AddressInfo;
    const client = await connectWebSocket({ url: `ws://127.0.0.1:${port}/`, binary: false }, sink);
    const socket = await accepted;
    const said = new Promise<string[]>((resolve) => {
      const texts: string[] = [];
      socket.on("message", (data: Buffer) => {
        texts.push(data.toString());
        if (texts.length === 3) resolve(texts);
      });
    });
    for (const size of [0, 1, 125, 126, 65_535]) socket.send("x".repeat(size));
    socket.ping("are you there");
    socket.send("x".repeat(700_000));
    const sent = ["a", "b".repeat(126), "c".repeat(70_000)];
    client.send(...sent);
    expect(await said).toEqual(sent);
    await enough.promise;
    expect(sizes).toEqual([0, 1, 125, 126, 65_535, 700_000]);
    client.destroy();
    http.close();
  });
});
