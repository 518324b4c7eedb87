/**
 * The one owned socket (CL-6): opened, written in frames of several messages, and let go.
 *
 * What a socket says carries its attempt, so that the core drops the words of one that is not owned any more (X6).
 */
import { type ClientSocket, limits, lostClose, normalClose, type Transport } from "@holdfast/protocol";
import { outboundFrameCharactersMax } from "../core/limits.ts";

export interface SocketEvents {
  opened(attempt: number): void;
  received(attempt: number, frame: string): void;
  closed(attempt: number, code: number, reason: string): void;
}

export interface OwnedSocket {
  openSocket(attempt: number): void;
  /** Queues one message for the next `flush`. */
  write(text: string): void;
  flush(): void;
  /** Closes with 1000; what it still says is of its attempt. */
  endSocket(): void;
  /** Closes it, and owns none. */
  dropSocket(): void;
}

export function makeSocket(transport: Transport, url: () => string, events: SocketEvents): OwnedSocket {
  let owned: ClientSocket | undefined;
  /** Messages for the next frame (TR-1), with commas between: it stays well below the limit. */
  let texts = "";
  const flush = (): void => {
    if (texts !== "") owned?.send(`[${texts}]`);
    texts = "";
  };
  const endSocket = (): void => {
    flush();
    owned?.close(normalClose, "");
  };
  return {
    openSocket(attempt) {
      texts = "";
      owned = undefined;
      try {
        owned = transport.open(url(), [limits.subprotocol], {
          opened: () => events.opened(attempt),
          received: (frame) => events.received(attempt, frame),
          closed: (code, reason) => events.closed(attempt, code, reason),
        });
      } catch (error) {
        events.closed(attempt, lostClose, String(error));
      }
    },
    write(text) {
      if (texts.length + text.length > outboundFrameCharactersMax) flush();
      texts += texts === "" ? text : `,${text}`;
    },
    flush,
    endSocket,
    dropSocket() {
      endSocket();
      owned = undefined;
    },
  };
}
