/** Everything a core may ask of its shell, as data. The shell performs it and decides nothing. */
import type { Cursor } from "@holdfast/protocol";
import type { AppliedEvent } from "../api.ts";
import type { ConnectionEffect } from "./connectionState.ts";
import type { Subscriber } from "./streamState.ts";

export interface Position {
  readonly cursor: Cursor;
  readonly head: number;
}

export type SubscriberEffect =
  /** `oneByOne`: so that the one event at which the handler throws can be told (ST-6). */
  | {
      readonly kind: "deliver";
      readonly subscriber: Subscriber;
      readonly events: readonly AppliedEvent[];
      readonly position: Position;
      readonly oneByOne: boolean;
    }
  /** Any other function of its: a throw of `give` is a throw of a handler of state. */
  | { readonly kind: "give"; readonly subscriber: Subscriber; readonly give: Give };

/** @param tell hears the faults of callbacks that no state depends on */
export type Give = (decide: (decision: Decision) => void, tell: (error: unknown) => void) => void;

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
  | Exclude<ConnectionEffect, { kind: "greet" | "ping" | "identityChanged" }>
  /** Somebody outside hears of it: a caller its outcome, the program what it listens for. */
  | { readonly kind: "tell"; readonly tell: () => void };

/** One message of ours, of any shape, as JSON. */
export function send(
  { out }: { readonly out: { push(effect: { readonly kind: "send"; readonly text: string }): unknown } },
  message: { readonly type: string; readonly [field: string]: unknown },
): void {
  out.push({ kind: "send", text: JSON.stringify(message) });
}
