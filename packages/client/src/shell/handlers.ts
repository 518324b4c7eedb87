/** The subscribers' own functions: called in order, never inside one another, never after `unsubscribe`. */
import { type Decision, guard, type SubscriberEffect } from "../core/effects.ts";
import type { Subscriber } from "../core/streamState.ts";
import type { Throw } from "../core/subscriber.ts";

/** Runs one effect. What a handler of state throws is returned; other callbacks' faults are the program's. */
export function runHandler(
  effect: SubscriberEffect,
  decide: (decision: Decision) => void,
  tell: (error: unknown) => void = report,
): Throw | undefined {
  if (effect.kind === "give") return attempt(() => effect.give(decide, tell));
  const { subscriber, events, position } = effect;
  const thrown = effect.oneByOne ? giveOneByOne(effect) : give(subscriber, events, position);
  // Applied, and not before: a cursor that was read in between could be stored with too little (ST-6).
  if (thrown === undefined) subscriber.before = undefined;
  return thrown;
}

/** A callback's fault is the program's: it surfaces as an uncaught error, and stops nothing of the session. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

type Delivery = Extract<SubscriberEffect, { kind: "deliver" }>;

function giveOneByOne({ subscriber, events, position }: Delivery): Throw | undefined {
  for (const event of events) {
    const cursor = { epoch: position.cursor.epoch, offset: event.through };
    const thrown = give(subscriber, [event], { cursor, head: position.head });
    if (thrown !== undefined) return thrown;
    subscriber.before = { cursor };
  }
  return undefined;
}

function give({ options }: Subscriber, events: Delivery["events"], position: Delivery["position"]): Throw | undefined {
  return attempt(() => options.onEvents(events, position), events);
}

function attempt(call: () => void, events?: Delivery["events"]): Throw | undefined {
  let thrown: Throw | undefined;
  guard(call, (error) => {
    thrown = { error, at: events?.[0] };
  });
  return thrown;
}
