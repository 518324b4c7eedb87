/** The one owned socket (CL-6): opened, written in frames of several messages, and forgotten. */
import { type ClientSocket, closeCodes, limits, type Transport } from "@holdfast/protocol";
import { outboundFrameCharactersMax } from "../core/limits.ts";

export interface SocketEvents {
  opened(attempt: number): void;
  received(attempt: number, frame: string): void;
  closed(attempt: number, code: number, reason: string): void;
}

export interface OwnedSocket {
  open(attempt: number): void;
  /** Queues one message for the next `flush`. */
  write(text: string): void;
  flush(): void;
  /** Closes with 1000 and goes on listening. */
  end(attempt: number): void;
  /** Closes and never hears it again (X6). */
  drop(attempt: number): void;
}

export function makeSocket(transport: Transport, url: () => string, events: SocketEvents): OwnedSocket {
  let owned: { readonly attempt: number; readonly socket: ClientSocket } | undefined;
  /** Whose events are heard: the newest attempt's, until it is dropped or closed. */
  let listening: number | undefined;
  let texts: string[] = [];
  const flush = (): void => {
    const messages = texts;
    texts = [];
    if (owned === undefined) return;
    for (const frame of frames(messages)) owned.socket.send(frame);
  };
  const close = (): void => {
    flush();
    owned?.socket.close(closeCodes.normal, "");
  };
  return {
    open(attempt) {
      texts = [];
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
        events.closed(attempt, closeCodes.lost, String(error));
      }
    },
    write(text) {
      texts.push(text);
    },
    flush,
    end(attempt) {
      if (owned?.attempt === attempt) close();
    },
    drop(attempt) {
      if (owned?.attempt !== attempt) return;
      close();
      owned = undefined;
      listening = undefined;
    },
  };
}

/** TR-1: a frame is an array; several messages share one as long as it stays well below the limit. */
function frames(texts: readonly string[]): string[] {
  const result: string[] = [];
  let part: string[] = [];
  let characters = 0;
  for (const text of texts) {
    if (part.length > 0 && characters + text.length > outboundFrameCharactersMax) {
      result.push(`[${part.join(",")}]`);
      part = [];
      characters = 0;
    }
    part.push(text);
    characters += text.length;
  }
  if (part.length > 0) result.push(`[${part.join(",")}]`);
  return result;
}
