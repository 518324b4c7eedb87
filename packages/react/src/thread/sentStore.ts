/**
 * Sends one thread's messages, and keeps what became of each until the log tells it (`sentMessages.ts`).
 *
 * Where the session keeps requests (`createDurableSession`, `createSharedSession`) a message waits for a connection, across
 * reloads too, and messages of one thread follow each other (RQ-3, RQ-4); a plain session gives up after 30 s. It outlives
 * no component: what another page or an earlier mount left waiting is read from the session.
 */
import type { Session } from "@holdfast/client";
import type { DurableSession, SavedRequest } from "@holdfast/client/durable";
import { ProtocolError } from "@holdfast/protocol";
import { reduceSent, type SentAction, type SentMessage } from "./sentMessages.ts";
import type { ThreadMethods } from "./threadEvents.ts";
import type { ThreadCommand } from "./threadState.ts";

export interface SentStore {
  view(): readonly SentMessage[];
  onChange(listener: () => void): () => void;
  /** Never throws: what went wrong is told by the message. */
  send(text: string, commands: readonly ThreadCommand[]): void;
  forget(keys: readonly string[]): void;
  /** What the session keeps; the same array while nothing changed. */
  saved(): readonly SavedRequest[];
  /** What of `saved` is of this thread and was not sent by this store, as messages. */
  adopted(saved: readonly SavedRequest[], commands: readonly ThreadCommand[]): readonly SentMessage[];
}

const nothingSaved: readonly SavedRequest[] = [];

export function makeSentStore(session: Session, thread: string): SentStore {
  // A plain session keeps nothing, and leaves the options of keeping aside.
  const keeping = session as unknown as DurableSession<{ [Name in keyof ThreadMethods]: ThreadMethods[Name] }>;
  const listeners = new Set<() => void>();
  const tickets = new Set<string>();
  let sent: readonly SentMessage[] = [];
  let made = 0;

  const act = (action: SentAction): void => {
    const before = sent;
    sent = reduceSent(sent, action);
    if (sent !== before) for (const listener of [...listeners]) listener();
  };

  return {
    view: () => sent,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    send(text, commands) {
      made += 1;
      const key = `sent-${made}`;
      act({ kind: "sent", key, text, before: new Set(commands.map(({ id }) => id)) });
      const onTicket = (ticket: string): void => void tickets.add(ticket);
      keeping.call("command.send", { thread, text }, { durable: true, lane: thread, onTicket }).then(
        ({ command }) => act({ kind: "accepted", key, command }),
        (error: unknown) => act({ kind: "failed", key, error: asProtocolError(error) }),
      );
    },
    forget: (keys) => act({ kind: "gone", keys }),
    saved: () => keeping.saved ?? nothingSaved,
    adopted(saved, commands) {
      return saved.flatMap(({ ticket, method, params, savedAt }) => {
        const { thread: there, text = "" } = (params ?? {}) as { readonly thread?: string; readonly text?: string };
        if (method !== "command.send" || there !== thread || tickets.has(ticket)) return [];
        const earlier = commands.filter(({ queuedAt }) => queuedAt < savedAt + session.clockOffset);
        const before = new Set(earlier.map(({ id }) => id));
        return [{ key: ticket, text, state: "sending", command: undefined, error: undefined, before }];
      });
    },
  };
}

function asProtocolError(error: unknown): ProtocolError {
  return error instanceof ProtocolError ? error : new ProtocolError("internal", String(error), { cause: error });
}
