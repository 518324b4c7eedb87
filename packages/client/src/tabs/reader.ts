/**
 * One reader in its tab: its own cursor, its own handlers, and what happens when one throws (ST-6).
 *
 * The rules are the core's (`subscriber.ts`), over a stream of this one reader; what the wire is to the core,
 * the host is here. Invariant (I1): what the handlers are given is one contiguous run, whichever host it came
 * from, since each asking names the cursor and what came under an older asking is ignored.
 */
import { type From, ProtocolError, unreachable } from "@holdfast/protocol";
import type { AppliedEvent, SubscribeOptions, Subscription } from "../api.ts";
import type { SessionEffect, SubscriberEffect } from "../core/effects.ts";
import { addSubscriber, lowestFrom, makeStream, noteAsked, noteLost } from "../core/stream.ts";
import {
  giveSnapshot,
  makeSubscriber,
  refreshStatus,
  resetSubscriber,
  resumeSubscriber,
  stopSubscriber,
  type Throw,
} from "../core/subscriber.ts";
import { runHandler } from "../shell/handlers.ts";
import type { Delivery, FromTab, ToTab } from "./messages.ts";

export interface TabReader {
  readonly face: Pick<Subscription, "stream" | "status" | "cursor">;
  /** Asks the host from where this reader stands, under a new `key`. */
  ask(): void;
  /** The host is gone; the cursor stays. */
  lose(): void;
  /** True where it was of this reader's newest asking. */
  take(message: Delivery | Extract<ToTab, { kind: "status" }>): void;
  /** OP-5: another user's from now on. */
  reset(): void;
  stop(): void;
}

export interface TabReaderPorts {
  readonly say: (message: FromTab) => void;
  readonly nextKey: () => number;
  readonly applied: (events: readonly AppliedEvent[]) => void;
  readonly report: (error: unknown) => void;
}

export function makeTabReader(name: string, options: SubscribeOptions, ports: TabReaderPorts): TabReader {
  const { say, nextKey, applied, report } = ports;
  const stream = makeStream(name);
  const subscriber = makeSubscriber(name, options);
  addSubscriber(stream, subscriber);

  /** Works through effects; what a handler threw goes before the rest of its stream (ST-6). */
  function perform(effects: readonly SessionEffect[]): void {
    for (const effect of effects) {
      if (subscriber.gone) return;
      const thrown = runHandler(effect as SubscriberEffect, decide, report);
      if (thrown === undefined) {
        if (effect.kind === "deliver") applied(effect.events);
      } else work((out) => stop(thrown, out));
    }
  }

  function work(change: (out: SessionEffect[]) => void): void {
    if (subscriber.gone) return;
    const out: SessionEffect[] = [];
    change(out);
    perform(out);
    if (stream.stale && stream.sub !== undefined) ask();
  }

  function stop(thrown: Throw, out: SessionEffect[]): void {
    stopSubscriber(stream, subscriber, thrown, out);
    // Stopped, it needs nothing from the host until the program has decided.
    if (subscriber.stopped !== undefined && stream.sub !== undefined) say({ kind: "unsubscribe", key: stream.sub });
  }

  function decide(decision: "retry" | "skip"): void {
    work((out) => resumeSubscriber(stream, subscriber, decision, out));
  }

  function ask(): void {
    const from: From | undefined = lowestFrom(stream);
    if (stream.sub !== undefined) say({ kind: "unsubscribe", key: stream.sub });
    const key = nextKey();
    noteAsked(stream, key, from ?? "latest");
    if (from === undefined) return;
    const takesSnapshots = options.onSnapshot !== undefined;
    say({ kind: "subscribe", key, stream: name, from, takesSnapshots });
  }

  return {
    face: {
      stream: name,
      get status() {
        return subscriber.shown;
      },
      get cursor() {
        return (subscriber.before ?? subscriber).cursor;
      },
    },
    ask,
    lose: () => work((out) => noteLost(stream, out)),
    take(message) {
      if (message.subscriber !== stream.sub) return;
      work((out) => {
        if (subscriber.stopped !== undefined) return;
        switch (message.kind) {
          case "deliver":
            takeEvents(message, out);
            return;
          case "deliverSnapshot":
            giveSnapshot(subscriber, message.data, message.position, out);
            return;
          case "deliverReset":
            resetSubscriber(subscriber, message.reason, message.lost, out);
            return;
          case "status":
            takeStatus(message, out);
            return;
          default:
            unreachable(message);
        }
      });
    },
    reset: () => work((out) => resetSubscriber(subscriber, "epoch", undefined, out)),
    stop() {
      subscriber.gone = true;
      if (stream.sub !== undefined) say({ kind: "unsubscribe", key: stream.sub });
    },
  };

  function takeEvents({ events, position }: Extract<Delivery, { kind: "deliver" }>, out: SessionEffect[]): void {
    const { cursor, isolateThrough } = subscriber;
    const after = cursor?.epoch === position.cursor.epoch ? cursor.offset : 0;
    if (after >= (isolateThrough ?? after)) subscriber.isolateThrough = undefined;
    const fresh = events.filter((event) => event.through > after);
    if (position.cursor.offset <= after) return;
    subscriber.cursor = position.cursor;
    stream.head = position.head;
    if (fresh.length === 0) return;
    const oneByOne = subscriber.isolateThrough !== undefined;
    subscriber.before = { cursor };
    out.push({ kind: "deliver", subscriber, events: fresh, position, oneByOne });
  }

  function takeStatus({ status, cursor }: Extract<ToTab, { kind: "status" }>, out: SessionEffect[]): void {
    subscriber.cursor ??= cursor;
    stream.answered = status.kind === "live" || status.kind === "catchingUp";
    stream.pending = status.kind === "pending" ? status.reason : undefined;
    stream.refused = status.kind === "refused" ? ProtocolError.fromBody(status.error) : undefined;
    stream.head = (subscriber.cursor?.offset ?? 0) + (status.kind === "catchingUp" ? status.behind : 0);
    refreshStatus(stream, out);
  }
}
