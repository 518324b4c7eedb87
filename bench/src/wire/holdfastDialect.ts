/** Holdfast's protocol as a bench client needs it: hello, one subscription, runs of events, publishes. */
import { randomUUID } from "node:crypto";
import { dataText, readEvents, stream } from "../event.ts";
import type { Dialect } from "./dialect.ts";
import { createFrameText } from "./frameText.ts";
import type { ClientSocket } from "./webSocket.ts";

const eventsStart = `[{"type":"events","stream":"${stream}","offset":`;
const headMark = ',"head":';
const eventsMark = ',"events":[';
const frameEnd = "]}]";
/** A publish has at most this many events. */
const publishEventsMax = 500;

const socketUrl = (url: string): string => `${url.replace(/^http/, "ws")}/ws`;

interface ServerSaid {
  readonly type: string;
  readonly sequence?: number;
}

export const holdfastDialect: Dialect = {
  protocol: "holdfast.v1",
  binary: false,
  readerUrl: socketUrl,
  publisherUrl: socketUrl,

  reader({ eventBytes, whole, from, subscribe }, delivery) {
    let socket: ClientSocket | undefined;
    let beats = 0;
    let next: number | undefined;
    let isDone = false;

    /** Offsets must be contiguous, and as many as the bytes hold (ST-4). */
    const count = (beginning: string, bytes: number): void => {
      const head = beginning.indexOf(headMark, eventsStart.length);
      const offset = Number(beginning.slice(eventsStart.length, head));
      const open = beginning.indexOf(eventsMark, head) + eventsMark.length;
      const events = (bytes - open - frameEnd.length + 1) / (eventBytes + 1);
      if (!Number.isInteger(events)) delivery.fault(`${bytes} bytes are no whole number of events: ${beginning}`);
      if (next !== undefined && offset !== next) delivery.fault(`offset ${offset} came where ${next} was due`);
      next = offset + events;
      delivery.events(events);
    };

    const hear = (text: string): void => {
      if (text.startsWith(eventsStart)) {
        count(text, text.length);
        // Of the others only frames that came in small pieces get here: their events would look like gaps.
        if (whole) readEvents(text, delivery.event);
        return;
      }
      for (const message of JSON.parse(text) as ServerSaid[]) {
        if (message.type === "subscribed" || (message.type === "welcome" && !subscribe)) delivery.ready();
        else if (message.type !== "welcome" && message.type !== "pong") delivery.fault(text.slice(0, 300));
      }
    };

    const sink = createFrameText({
      isLong: (beginning) => !whole && beginning.startsWith(eventsStart),
      long: count,
      whole: hear,
      ended: (detail) => {
        if (!isDone) delivery.fault(`the connection ended: ${detail}`);
        isDone = true;
      },
    });
    return {
      ...sink,
      opened(opened) {
        socket = opened;
        socket.send(helloText(subscribe ? [{ stream, sub: 1, from }] : []));
      },
      subscribe(from) {
        socket?.send(JSON.stringify([{ type: "subscribe", stream, sub: 1, from }]));
      },
      beat() {
        beats += 1;
        socket?.send(`[{"type":"ping","n":${beats},"visible":true}]`);
      },
    };
  },

  publisher({ eventBytes, ready, fault }) {
    let socket: ClientSocket | undefined;
    const producer = randomUUID();
    let sequence = 1;
    let confirmed = 0;
    let beats = 0;
    const sink = createFrameText({
      isLong: () => false,
      long: () => {},
      whole: (text) => {
        for (const message of JSON.parse(text) as ServerSaid[]) {
          if (message.type === "welcome") ready();
          else if (message.type === "published") confirmed = message.sequence ?? confirmed;
          else if (message.type !== "pong") fault(text.slice(0, 300));
        }
      },
      ended: (detail) => fault(`the connection ended: ${detail}`),
    });
    return {
      ...sink,
      opened(opened) {
        socket = opened;
        socket.send(helloText([]));
      },
      beat() {
        beats += 1;
        socket?.send(`[{"type":"ping","n":${beats},"visible":true}]`);
      },
      publish(first, count, microseconds) {
        for (let done = 0; done < count; done += publishEventsMax) {
          const part = Math.min(publishEventsMax, count - done);
          const events = Array.from(
            { length: part },
            (_, index) => `{"event":"tick","data":${dataText(first + done + index, microseconds, eventBytes)}}`,
          );
          socket?.send(
            `[{"type":"publish","stream":"${stream}","producer":"${producer}","sequence":${sequence},"events":[${events.join(",")}]}]`,
          );
          sequence += part;
        }
      },
      get unconfirmed() {
        return sequence - 1 - confirmed;
      },
    };
  },
};

function helloText(subscribe: readonly unknown[]): string {
  const client = { name: "bench", version: "1" };
  return JSON.stringify([
    { type: "hello", protocol: 1, instance: randomUUID(), attempt: 1, client, visible: true, subscribe },
  ]);
}
