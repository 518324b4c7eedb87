/** The one owned socket (CL-6): opened, written in frames of several messages, and forgotten. */
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
  /** Closes with 1000 and goes on listening. */
  endSocket(attempt: number): void;
  /** Closes and never hears it again (X6). */
  dropSocket(attempt: number): void;
}

export function makeSocket(transport: Transport, url: () => string, events: SocketEvents): OwnedSocket {
  let owned: { readonly attempt: number; readonly socket: ClientSocket } | undefined;
  /** Whose events are heard: the newest attempt's, until it is dropped or closed. */
  let listening: number | undefined;
  /** Messages for the next frame (TR-1): it stays well below the limit. */
  let texts: string[] = [];
  let characters = 0;
  const flush = (): void => {
    if (texts.length > 0) owned?.socket.send(`[${texts.join(",")}]`);
    texts = [];
    characters = 0;
  };
  const close = (): void => {
    flush();
    owned?.socket.close(normalClose, "");
  };
  return {
    openSocket(attempt) {
      texts = [];
      characters = 0;
      listening = attempt;
      const mine = (): boolean => listening === attempt;
      const listener = {
        opened: () => mine() && events.opened(attempt),
        received: (frame: string) => mine() && events.received(attempt, frame),
        closed(code: number, reason: string) {
          if (!mine()) return;
          listening = undefined;
          events.closed(attempt, code, reason);
        },
      };
      owned = undefined;
      try {
        owned = { attempt, socket: transport.open(url(), [limits.subprotocol], listener) };
      } catch (error) {
        events.closed(attempt, lostClose, String(error));
      }
    },
    write(text) {
      if (characters + text.length > outboundFrameCharactersMax) flush();
      characters += text.length;
      texts.push(text);
    },
    flush,
    endSocket(attempt) {
      if (owned?.attempt === attempt) close();
    },
    dropSocket(attempt) {
      if (owned?.attempt !== attempt) return;
      close();
      owned = undefined;
      listening = undefined;
    },
  };
}
