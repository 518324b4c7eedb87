/**
 * One connection of the protocol, word by word: what the client library hides is what a diagnosis must see.
 *
 *   upgrade ─▶ open ─▶ over (close code and reason)
 *      └────▶ an HTTP answer, or a failure, in the place of an upgrade
 *
 * Messages are judged by the protocol's schemas before anything looks at them; what is no message ends the
 * conversation. Invariant: at most {@link messagesKeptMax} messages wait to be asked for; older ones are dropped. It
 * deliberately never comes back by itself.
 */
import { type ClientMessage, limits, type ServerMessage } from "@holdfast/protocol";
import { serverMessages } from "@holdfast/protocol/schema";
import { WebSocket } from "ws";
import type { Target } from "../target.ts";
import { type Answer, readAnswer } from "./ask.ts";
import { type Failure, failureOf, lateBy } from "./reach.ts";

export const upgradeMsMax = 10_000;
export const messageMsMax = 10_000;
const messagesKeptMax = 1_000;

/** The end of a conversation: the `bye`'s code and reason where there was one, else the close frame's. */
export interface Over {
  readonly kind: "over";
  readonly code: number;
  readonly reason: string;
}

/** Nothing that was asked for came within {@link messageMsMax}. */
export interface Silence {
  readonly kind: "silence";
}

export interface Conversation {
  readonly kind: "open";
  send(message: ClientMessage): void;
  /** The first message from now on, or of those kept, of which `wanted` makes something. */
  next<Wanted>(wanted: (message: ServerMessage) => Wanted | undefined): Promise<Wanted | Over | Silence>;
  /** Hears every message from now on, before `next` does. */
  listen(listener: (message: ServerMessage) => void): void;
  close(): void;
}

/** Opens `/ws` as a page of `target.page` would, or as a program. */
export function converse(target: Target): Promise<Conversation | Answer | Failure> {
  const socket = new WebSocket(`${target.origin.replace(/^http/, "ws")}/ws`, [limits.subprotocol], {
    handshakeTimeout: upgradeMsMax,
    maxPayload: limits.frameBytesMax,
    perMessageDeflate: false,
    followRedirects: false,
    ...(target.page === undefined ? {} : { origin: target.page }),
  });
  return new Promise((done) => {
    const timer = setTimeout(() => {
      socket.terminate();
      done(lateBy(upgradeMsMax));
    }, upgradeMsMax);
    const end = (answer: Conversation | Answer | Failure): void => {
      clearTimeout(timer);
      done(answer);
    };
    socket.on("error", (error) => end(failureOf(error)));
    socket.once("unexpected-response", (request, response) => {
      void readAnswer(response).then((answer) => {
        request.destroy();
        end(answer);
      });
    });
    // In the same turn as the opening: the first messages may come with it.
    socket.once("open", () => end(converseOver(socket)));
  });
}

function converseOver(socket: WebSocket): Conversation {
  const kept: ServerMessage[] = [];
  const listeners: ((message: ServerMessage) => void)[] = [];
  let over: Over | undefined;
  let bye: Over | undefined;
  let look = (): void => {};

  socket.on("message", (data, isBinary) => {
    for (const message of isBinary ? [undefined] : messagesOf(String(data))) {
      if (message === undefined) {
        over ??= { kind: "over", code: 1002, reason: "a frame that is none of this protocol" };
        socket.terminate();
        break;
      }
      if (message.type === "bye") bye = { kind: "over", code: message.code, reason: message.reason };
      for (const listener of listeners) listener(message);
      kept.push(message);
      if (kept.length > messagesKeptMax) kept.shift();
    }
    look();
  });
  socket.on("close", (code, reason) => {
    over ??= bye ?? { kind: "over", code, reason: String(reason) };
    look();
  });

  return {
    kind: "open",
    send: (message) => socket.send(JSON.stringify([message])),
    next: (wanted) =>
      new Promise((done) => {
        const end = (answer: Parameters<typeof done>[0]): void => {
          clearTimeout(timer);
          look = () => {};
          done(answer);
        };
        const timer = setTimeout(() => end({ kind: "silence" }), messageMsMax);
        look = () => {
          while (kept.length > 0) {
            const message = kept.shift();
            const found = message === undefined ? undefined : wanted(message);
            if (found !== undefined) return end(found);
          }
          if (over !== undefined) end(over);
        };
        look();
      }),
    listen: (listener) => void listeners.push(listener),
    close: () => {
      socket.removeAllListeners("message");
      socket.close(1000);
      setTimeout(() => socket.terminate(), limits.endTcpAfterMs).unref();
    },
  };
}

/** The messages of a frame; undefined stands for what is none. Of types that we do not know nothing is left (TR-5). */
function messagesOf(frame: string): readonly (ServerMessage | undefined)[] {
  let elements: unknown;
  try {
    elements = JSON.parse(frame);
  } catch {
    return [undefined];
  }
  if (!Array.isArray(elements)) return [undefined];
  return elements.flatMap((element: unknown) => {
    const type = typeof element === "object" && element !== null && "type" in element ? element.type : undefined;
    if (typeof type !== "string") return [undefined];
    if (!isKnown(type)) return [];
    const read = serverMessages[type].safeParse(element);
    return [read.success ? read.data : undefined];
  });
}

function isKnown(type: string): type is keyof typeof serverMessages {
  return Object.hasOwn(serverMessages, type);
}
