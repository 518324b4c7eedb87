/** The subscribers' own functions: called in order, never inside one another, never after `unsubscribe`. */
import { unreachable } from "@holdfast/protocol";
import type { SubscribeOptions, SubscriptionStatus } from "../api.ts";
import type { SubscriberEffect } from "../core/effects.ts";
import type { Throw } from "../core/subscriber.ts";

export interface Handler {
  readonly options: SubscribeOptions;
  status: SubscriptionStatus;
}

/** Runs one effect. What a handler of state throws is returned; other callbacks' faults are the program's. */
export function runHandler(
  handler: Handler,
  effect: SubscriberEffect,
  decide: (decision: "retry" | "skip") => void,
  tell: (error: unknown) => void = report,
): Throw | undefined {
  const { options } = handler;
  switch (effect.kind) {
    case "deliver":
      return effect.oneByOne ? giveOneByOne(options, effect) : give(options, effect.events, effect.position);
    case "deliverSnapshot":
      return attempt(() => options.onSnapshot?.(effect.data, effect.position), undefined);
    case "deliverReset":
      return attempt(() => options.onReset?.({ reason: effect.reason, lost: effect.lost }), undefined);
    case "deliverStatus":
      handler.status = effect.status;
      guard(() => options.onStatus?.(effect.status), tell);
      return undefined;
    case "deliverError":
      if (options.onError === undefined) tell(effect.error);
      else
        guard(
          () => options.onError?.(effect.error, { retry: () => decide("retry"), skip: () => decide("skip") }),
          tell,
        );
      return undefined;
    default:
      return unreachable(effect);
  }
}

/** Calls a callback that must not stop the session; its fault goes to `tell`. */
export function guard(call: () => void, tell: (error: unknown) => void): void {
  try {
    call();
  } catch (error) {
    tell(error);
  }
}

/** A callback's fault is the program's: it surfaces as an uncaught error, and stops nothing of the session. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

type Delivery = Extract<SubscriberEffect, { kind: "deliver" }>;

function giveOneByOne(options: SubscribeOptions, { events, position }: Delivery): Throw | undefined {
  for (const event of events) {
    const cursor = { epoch: position.cursor.epoch, offset: event.through };
    const thrown = give(options, [event], { cursor, head: position.head });
    if (thrown !== undefined) return thrown;
  }
  return undefined;
}

function give(
  options: SubscribeOptions,
  events: Delivery["events"],
  position: Delivery["position"],
): Throw | undefined {
  return attempt(() => options.onEvents(events, position), events);
}

function attempt(call: () => void, events: Delivery["events"] | undefined): Throw | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    const first = events?.[0];
    return { error, at: first === undefined ? undefined : { offset: first.offset, through: first.through } };
  }
}
