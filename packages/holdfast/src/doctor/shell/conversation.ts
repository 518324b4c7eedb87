/**
 * One connection of the protocol, word by word: what the client library hides is what a diagnosis must see.
 *
 *   upgrade ─▶ open ─▶ over (close code and reason)
 *      └────▶ an HTTP answer, or a failure, in the place of an upgrade
 *
 * Messages are judged by the protocol's schemas before anything looks at them; what is no message ends the
 * conversation. While it is open it says something each {@link aliveMs}, as any client does (LV-1). Invariant: what
 * waits to be asked for is at most {@link messagesKeptMax} messages of {@link keptBytesMax} in all; older ones are
 * dropped. It deliberately never comes back by itself.
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
/** Of frames as they came. */
const keptBytesMax = 8 * 1_024 * 1_024;
const aliveMs = 10_000;
/** The `n` of pings that nobody waits for. */
const aliveNumber = 0;

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
  /** From now on every message goes there, and in the end how it ended; `next` gets none of them. */
  listen(listener: (message: ServerMessage | Over) => void): void;
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
  /** With the bytes of the frame where a message was the first of it, else 0. */
  const kept: { readonly message: ServerMessage; readonly bytes: number }[] = [];
  let keptBytes = 0;
  let listener: ((message: ServerMessage | Over) => void) | undefined;
  let over: Over | undefined;
  let bye: Over | undefined;
  let look = (): void => {};

  const keep = (message: ServerMessage, bytes: number): void => {
    kept.push({ message, bytes });
    keptBytes += bytes;
    while (kept.length > messagesKeptMax || keptBytes > keptBytesMax) take();
  };
  const take = (): ServerMessage | undefined => {
    const oldest = kept.shift();
    keptBytes -= oldest?.bytes ?? 0;
    return oldest?.message;
  };
  const alive = setInterval(() => send({ type: "ping", n: aliveNumber, visible: true }), aliveMs);
  const send = (message: ClientMessage): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify([message]));
  };

  socket.on("message", (data, isBinary) => {
    const frame = String(data);
    let bytes = frame.length;
    for (const message of isBinary ? [undefined] : messagesOf(frame)) {
      if (message === undefined) {
        over ??= { kind: "over", code: 1002, reason: "a frame that is none of this protocol" };
        socket.terminate();
        break;
      }
      if (message.type === "bye") bye = { kind: "over", code: message.code, reason: message.reason };
      if (listener === undefined) keep(message, bytes);
      else listener(message);
      bytes = 0;
    }
    look();
  });
  socket.on("close", (code, reason) => {
    clearInterval(alive);
    over ??= bye ?? { kind: "over", code, reason: String(reason) };
    listener?.(over);
    look();
  });

  return {
    kind: "open",
    send,
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
            const message = take();
            const found = message === undefined ? undefined : wanted(message);
            if (found !== undefined) return end(found);
          }
          if (over !== undefined) end(over);
        };
        look();
      }),
    listen: (hears) => {
      listener = hears;
      if (over !== undefined) hears(over);
    },
    close: () => {
      clearInterval(alive);
      listener = undefined;
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
