/** The peers that carry one event in one frame: bare `ws`, and Socket.IO's protocol (Engine.IO 4 over WebSocket). */
import { eventText, readEvents } from "../event.ts";
import type { Dialect, ReaderSession } from "./dialect.ts";
import { createFrameText } from "./frameText.ts";
import type { ClientSocket } from "./webSocket.ts";

const socketUrl = (url: string): string => url.replace(/^http/, "ws");

/** One event a frame, JSON text; readers and publishers are told apart by the path. */
export const wsDialect: Dialect = {
  binary: false,
  readerUrl: (url) => `${socketUrl(url)}/read`,
  publisherUrl: (url) => `${socketUrl(url)}/publish`,
  reader({ whole }, delivery) {
    const sink = createFrameText({
      isLong: () => !whole,
      long: () => delivery.events(1),
      whole: (text) => {
        delivery.events(1);
        if (whole) readEvents(text, delivery.event);
      },
      ended: (detail) => delivery.fault(`the connection ended: ${detail}`),
    });
    return { ...sink, opened: () => delivery.ready(), beat: () => {} };
  },
  publisher({ eventBytes, ready, fault }) {
    return publisher(eventBytes, ready, fault, (text) => text);
  },
};

/** Engine.IO packets: `0` open, `2` ping, `3` pong, `4` message; Socket.IO within: `0` connect, `2` event. */
const packets = { open: "0{", ping: "2", pong: "3", connect: "40", event: '42["' } as const;
const socketIoUrl = (url: string): string => `${socketUrl(url)}/socket.io/?EIO=4&transport=websocket`;

export const socketIoDialect: Dialect = {
  binary: false,
  readerUrl: socketIoUrl,
  publisherUrl: socketIoUrl,
  reader({ whole }, delivery) {
    let socket: ClientSocket | undefined;
    const sink = createFrameText({
      isLong: (beginning) => !whole && beginning.startsWith(packets.event),
      long: () => delivery.events(1),
      whole: (text) => {
        if (handshake(text, socket, delivery.ready)) return;
        delivery.events(1);
        if (whole) readEvents(text, delivery.event);
      },
      ended: (detail) => delivery.fault(`the connection ended: ${detail}`),
    });
    const session: ReaderSession = {
      ...sink,
      opened: (opened) => {
        socket = opened;
      },
      beat: () => {},
    };
    return session;
  },
  publisher({ eventBytes, ready, fault }) {
    return publisher(eventBytes, ready, fault, (text) => `42["publish",${text}]`, handshake);
  },
};

/** Whether it was no event; answers what must be answered. */
function handshake(text: string, socket: ClientSocket | undefined, ready: () => void): boolean {
  if (text.startsWith(packets.event)) return false;
  if (text === packets.ping) socket?.send(packets.pong);
  else if (text.startsWith(packets.open)) socket?.send(packets.connect);
  else if (text.startsWith(packets.connect)) ready();
  return true;
}

type Answer = (text: string, socket: ClientSocket | undefined, ready: () => void) => boolean;

function publisher(
  eventBytes: number,
  ready: () => void,
  fault: (what: string) => void,
  wrap: (text: string) => string,
  answer?: Answer,
) {
  let socket: ClientSocket | undefined;
  const sink = createFrameText({
    isLong: () => false,
    long: () => {},
    whole: (text) => void answer?.(text, socket, ready),
    ended: (detail) => fault(`the connection ended: ${detail}`),
  });
  return {
    ...sink,
    opened(opened: ClientSocket) {
      socket = opened;
      if (answer === undefined) ready();
    },
    beat: () => {},
    publish(first: number, count: number, microseconds: number) {
      socket?.send(
        ...Array.from({ length: count }, (_, index) => wrap(eventText(first + index, microseconds, eventBytes))),
      );
    },
    unconfirmed: 0,
  };
}
