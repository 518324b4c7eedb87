/**
 * The writing half of a client that obeys: an outbox and a producer that outlive connections (section 6).
 *
 * Life cycle of a request: issued → sent, and again after each `welcome` → answered. Of an event: published →
 * sent → decided. Invariants: a request keeps its id and its text (RQ-1), and names the one before it (RQ-4); an
 * event keeps its sequence (PB-1), and nothing is forgotten before it is decided (RQ-3, PB-4).
 */
import { randomUUID } from "node:crypto";
import { type Message, uuidv7 } from "../../plainClient.ts";
import type { Counters } from "./counters.ts";

const retryMs = 50;
const batchEventsMax = 50;
/** Below what `welcome.limits.requests` allows. */
const requestsUnderWayMax = 32;

export interface Writing {
  /** The text of each request that was issued, in order, and its outcome: `done`, or an error's code. */
  readonly outcomes: ReadonlyMap<string, string | undefined>;
  readonly published: readonly string[];
  write(text: string): void;
  publish(text: string): void;
  /** A connection is open: what is not decided goes out again, in its first order. */
  welcomed(now: number): void;
  lost(): void;
  answered(message: Message): void;
  wasPublished(message: Message): void;
  publishRefused(message: Message): void;
  isSettled(): boolean;
}

/** What it needs of its connection. `say` may be called with nothing open; `later` runs after so many ms. */
export interface WritingPorts {
  readonly say: (...messages: readonly Message[]) => void;
  readonly later: (ms: number, run: () => void) => void;
}

interface Pending {
  readonly message: Message;
  readonly text: string;
  isSent: boolean;
}

interface Refusal {
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfter?: number;
  readonly details?: { readonly expected?: number };
}

/** @param stream where its events go; `note.add` takes its requests */
export function createWriting(stream: string, counters: Counters, { say, later }: WritingPorts): Writing {
  const producer = randomUUID();
  const outcomes = new Map<string, string | undefined>();
  const published: string[] = [];
  let outbox: Pending[] = [];
  let isOpen = false;
  /** The server's clock, less ours, ms. */
  let clockOffset = 0;
  /** Up to here all events are decided, and up to there they were sent on this connection. */
  let decided = 0;
  let sent = 0;
  let gapAnswered: number | undefined;

  const sendRequests = (): void => {
    if (!isOpen) return;
    const ready = outbox.slice(0, requestsUnderWayMax).filter(({ isSent }) => !isSent);
    for (const one of ready) one.isSent = true;
    say(...ready.map(({ message }) => message));
  };
  const sendEvents = (): void => {
    while (isOpen && sent < published.length) {
      const texts = published.slice(sent, sent + batchEventsMax);
      const events = texts.map((text) => ({ event: "said", data: { text } }));
      say({ type: "publish", stream, producer, sequence: sent + 1, events });
      sent += texts.length;
    }
  };
  const sendEventsFrom = (first: number): void => {
    sent = first;
    sendEvents();
  };

  return {
    outcomes,
    published,
    write(text) {
      const after = outbox.at(-1)?.message["id"];
      const message: Message = {
        type: "request",
        id: uuidv7(Date.now() + clockOffset),
        method: "note.add",
        params: { text },
        ...(after === undefined ? {} : { after }),
      };
      outcomes.set(text, undefined);
      outbox.push({ message, text, isSent: false });
      sendRequests();
    },
    publish(text) {
      published.push(text);
      sendEvents();
    },
    welcomed(now) {
      isOpen = true;
      clockOffset = now - Date.now();
      counters.requestsResent += outbox.filter(({ isSent }) => isSent).length;
      counters.eventsResent += sent - decided;
      for (const one of outbox) one.isSent = false;
      gapAnswered = undefined;
      sendRequests();
      sendEventsFrom(decided);
    },
    lost() {
      isOpen = false;
    },
    answered(message) {
      const pending = outbox.find((one) => one.message["id"] === message["id"]);
      if (pending === undefined) return;
      const error = message["error"] as Refusal | undefined;
      if (error?.retryable === true) {
        later(error.retryAfter ?? retryMs, () => {
          pending.isSent = false;
          sendRequests();
        });
        return;
      }
      outcomes.set(pending.text, error === undefined ? "done" : error.code);
      outbox = outbox.filter((one) => one !== pending);
      sendRequests();
    },
    wasPublished(message) {
      decided = Math.max(decided, message["sequence"] as number);
      sent = Math.max(sent, decided);
    },
    publishRefused(message) {
      const { code, retryAfter, details } = message["error"] as Refusal;
      const expected = details?.expected;
      if (code !== "sequence_gap" || expected === undefined) {
        later(retryAfter ?? retryMs, () => sendEventsFrom(decided));
        return;
      }
      // PB-3: from `expected`, once for each distinct value.
      if (gapAnswered === expected) return;
      gapAnswered = expected;
      sendEventsFrom(expected - 1);
    },
    isSettled: () => outbox.length === 0 && decided === published.length,
  };
}
