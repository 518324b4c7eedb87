/** Everything a core may ask of its shell, as data. The shell performs it and decides nothing. */
import type { Cursor } from "@holdfast/protocol";
import type { AppliedEvent, SubscriptionStatus } from "../api.ts";
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
  | Exclude<ConnectionEffect, { kind: "greet" | "ping" | "authenticate" | "leave" | "identityChanged" }>
  /** Somebody outside hears of it: a caller its outcome, the program what it listens for. */
  | { readonly kind: "tell"; readonly tell: () => void };
