/** Everything a core may ask of its shell, as data. The shell performs it and decides nothing. */
import type { AgentIdentity, Cursor, ProtocolError } from "@holdfast/protocol";
import type { AppliedEvent, HeardSignal, SubscriptionStatus } from "../api.ts";
import type { NamedRequest } from "../storage/port.ts";
import type { ConnectionEffect } from "./connectionState.ts";

export interface Position {
  readonly cursor: Cursor;
  readonly head: number;
}

export type SubscriberEffect =
  /** `oneByOne`: so that the one event at which the handler throws can be told (ST-6). */
  | {
      readonly kind: "deliver";
      readonly subscriber: number;
      readonly events: readonly AppliedEvent[];
      readonly position: Position;
      readonly oneByOne: boolean;
    }
  | {
      readonly kind: "deliverSnapshot";
      readonly subscriber: number;
      readonly data: Readonly<Record<string, unknown>>;
      readonly position: Position;
    }
  | {
      readonly kind: "deliverReset";
      readonly subscriber: number;
      readonly reason: "epoch" | "trimmed";
      readonly lost: number | undefined;
    }
  | { readonly kind: "deliverStatus"; readonly subscriber: number; readonly status: SubscriptionStatus }
  | { readonly kind: "deliverError"; readonly subscriber: number; readonly error: unknown };

export type SessionEffect =
  | SubscriberEffect
  /** One message as JSON. */
  | { readonly kind: "send"; readonly text: string }
  /** A request is decided (RQ-1): exactly one of the two. */
  | {
      readonly kind: "settleRequest";
      readonly key: number;
      readonly result: unknown;
      readonly error: ProtocolError | undefined;
    }
  /** A request got the id under which it goes out; who else keeps it must know before the server does. */
  | { readonly kind: "requestNamed"; readonly key: number; readonly named: NamedRequest }
  /** Write that id down, then say `saved`; it is not sent before. */
  | { readonly kind: "saveRequest"; readonly key: number; readonly named: NamedRequest }
  /** An event of a producer is decided (PB-2): null, or why it was rejected. `stopped`: it never will be. */
  | {
      readonly kind: "settleEvent";
      readonly producer: number;
      readonly ordinal: number;
      readonly rejection: ProtocolError | null;
      readonly stopped: boolean;
    }
  | { readonly kind: "drained"; readonly producer: number }
  /** PB-3: it publishes nothing more, and why. */
  | { readonly kind: "producerStopped"; readonly producer: number; readonly error: ProtocolError }
  | Exclude<ConnectionEffect, { kind: "greet" | "ping" | "authenticate" | "leave" | "identityChanged" }>
  | { readonly kind: "arm"; readonly timer: TimerName; readonly atMs: number }
  | { readonly kind: "disarm"; readonly timer: TimerName }
  /** Come back with `flush` once the program has said all it has to say now. */
  | { readonly kind: "flushSoon" }
  | { readonly kind: "signalHeard"; readonly heard: HeardSignal }
  | { readonly kind: "agentNamed"; readonly agent: AgentIdentity }
  /** TR-4: the first of its code. */
  | { readonly kind: "problem"; readonly error: ProtocolError }
  /** OP-5: the application must drop all state of the former user. */
  | { readonly kind: "identityChanged" };

export const timerNames = [
  "attemptDue",
  "openingDue",
  "heartbeatDue",
  "stableDue",
  "refreshDue",
  "closingDue",
  "repairDue",
  "outboxDue",
  "producersDue",
] as const;
export type TimerName = (typeof timerNames)[number];
