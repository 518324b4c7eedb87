/** Everything a core may ask of its shell, as data. The shell performs it and decides nothing. */
import type { Cursor } from "@holdfast/protocol";
import type { AppliedEvent, SubscribeOptions, SubscriptionStatus } from "../api.ts";
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
  /** Any other function of its: a throw of `give` is a throw of a handler of state. */
  | { readonly kind: "give"; readonly subscriber: number; readonly give: Give };

/** @param tell hears the faults of callbacks that no state depends on */
export type Give = (handler: Handler, decide: (decision: Decision) => void, tell: (error: unknown) => void) => void;

/** A subscriber's own functions, and what it shows of itself. */
export interface Handler {
  readonly options: SubscribeOptions;
  status: SubscriptionStatus;
}

/** The program's word on a subscriber that stopped (ST-6). */
export type Decision = "retry" | "skip";

/** Calls a callback that must not stop the session; its fault goes to `tell`. */
export function guard(call: () => void, tell: (error: unknown) => void): void {
  try {
    call();
  } catch (error) {
    tell(error);
  }
}

export type SessionEffect =
  | SubscriberEffect
  /** One message as JSON. */
  | { readonly kind: "send"; readonly text: string }
  | Exclude<ConnectionEffect, { kind: "greet" | "ping" | "authenticate" | "leave" | "identityChanged" }>
  /** Somebody outside hears of it: a caller its outcome, the program what it listens for. */
  | { readonly kind: "tell"; readonly tell: () => void };
