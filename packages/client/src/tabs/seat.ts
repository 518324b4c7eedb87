/**
 * One tab as the host sees it: its readers, its requests, what it may still be given.
 *
 * Life: joined → until it leaves, or its lock is released because it died. Invariants: a tab that does not
 * keep up has at most `deliveriesUnderWayMax` batches on their way; its readers then keep their cursors only
 * and read on from them when it has caught up (ST-11, between two rooms of one browser), and of what it is to
 * show the newest waits. What a tab leaves behind is nothing but requests that were sent, or are durable.
 */
import type { From } from "@holdfast/protocol";
import type { AppliedEvent, HeardSignal, Subscription, SubscriptionStatus } from "../api.ts";
import type { Hint } from "../core/connectionState.ts";
import type { OwnedDurableSession } from "../durable/durableSession.ts";
import type { Waiter } from "../durable/orders.ts";
import type { Delivery, FromTab, SharedStatus, ToTab } from "./messages.ts";

/** Batches of events (each at most about a frame of the server's) posted to one tab and not worked on yet. */
export const deliveriesUnderWayMax = 256;

interface Reader {
  readonly key: number;
  readonly stream: string;
  readonly takesSnapshots: boolean;
  /** Where it reads on. */
  from: From;
  /** Ends its subscription; undefined while it is paused. */
  stop: (() => void) | undefined;
}

export interface Seat {
  readonly visible: boolean;
  readonly streams: ReadonlySet<string>;
  /** Shows the session as it is now, or when what was shown before has been. */
  show(): void;
  /** Dropped where the tab does not keep up (ST-17). */
  hear(heard: HeardSignal): void;
  take(message: FromTab): void;
  /** Ends its readers, and what nobody waits for any more. `isGone`: the tab is no more, and asks no other host. */
  leave(isGone: boolean): void;
}

export function makeSeat(
  { session, orders, noteShown }: OwnedDurableSession,
  say: (message: ToTab) => void,
  shown: () => ToTab,
  hinted: (hint: Hint) => void,
): Seat {
  const readers = new Map<number, Reader>();
  const waiters = new Map<string, Waiter>();
  const streams = new Set<string>();
  /** Deliveries under way, the oldest first: what each gives a reader that is live. */
  let underWay: (readonly AppliedEvent[])[] = [];
  let visible = true;
  let showing: "idle" | "underWay" | "stale" = "idle";

  function deliver(reader: Reader, delivery: Delivery): void {
    const isLive = delivery.kind === "deliver" && delivery.position.cursor.offset === delivery.position.head;
    underWay.push(isLive ? delivery.events : []);
    say(delivery);
    if (delivery.kind === "deliverReset") reader.from = "latest";
    else reader.from = delivery.position.cursor;
    if (underWay.length >= deliveriesUnderWayMax) pause(reader);
  }

  function pause(reader: Reader): void {
    reader.stop?.();
    reader.stop = undefined;
  }

  function read(reader: Reader): void {
    const { key: subscriber, stream } = reader;
    let isCurrent = true;
    let subscription: Subscription | undefined;
    const mine = (): boolean => isCurrent && readers.get(subscriber) === reader;
    subscription = session.subscribe(stream, {
      from: reader.from,
      onEvents(events, position) {
        if (mine()) deliver(reader, { kind: "deliver", subscriber, events, position, oneByOne: false });
      },
      ...(reader.takesSnapshots && {
        onSnapshot(data, position) {
          if (mine()) deliver(reader, { kind: "deliverSnapshot", subscriber, data, position });
        },
      }),
      onReset({ reason, lost }) {
        if (mine()) deliver(reader, { kind: "deliverReset", subscriber, reason, lost });
      },
      onStatus(status) {
        if (!mine()) return;
        const cursor = subscription?.cursor;
        if (cursor !== undefined) reader.from = cursor;
        say({ kind: "status", subscriber, status: shareable(status), cursor });
      },
    });
    reader.stop = () => {
      isCurrent = false;
      subscription.unsubscribe();
    };
  }

  function end(key: number): void {
    const reader = readers.get(key);
    if (reader === undefined) return;
    readers.delete(key);
    pause(reader);
    if (![...readers.values()].some(({ stream }) => stream === reader.stream)) streams.delete(reader.stream);
  }

  function waiterOf(ticket: string): Waiter {
    const waiter: Waiter = {
      named: (named) => say({ kind: "named", ticket, named }),
      settled(result, error) {
        waiters.delete(ticket);
        say({ kind: "settled", ticket, result, error: error?.toBody() });
      },
    };
    waiters.set(ticket, waiter);
    return waiter;
  }

  async function giveToken(request: number, refused: string | null | undefined): Promise<void> {
    const given = await session.token(refused).then(
      (token) => ({ token }),
      () => undefined,
    );
    say({ kind: "tokenGiven", request, given });
  }

  function show(): void {
    if (showing === "idle") say(shown());
    showing = showing === "idle" ? "underWay" : "stale";
  }

  return {
    streams,
    show,
    hear(heard) {
      if (streams.has(heard.stream) && underWay.length < deliveriesUnderWayMax) say({ kind: "signalHeard", heard });
    },
    get visible() {
      return visible;
    },
    take(message) {
      switch (message.kind) {
        case "subscribe": {
          const { key, stream, from, takesSnapshots } = message;
          const reader: Reader = { key, stream, from, takesSnapshots, stop: undefined };
          readers.set(key, reader);
          streams.add(stream);
          read(reader);
          return;
        }
        case "unsubscribe":
          end(message.key);
          return;
        case "call":
          orders.place(message.order, waiterOf(message.order.ticket), message.isHeld);
          return;
        case "release":
          orders.release(message.ticket, message.given);
          return;
        case "await":
          orders.await(message.ticket, waiterOf(message.ticket));
          return;
        case "withdraw":
          orders.withdraw(message.ticket);
          return;
        case "signal":
          session.signal(message.stream, message.signal, message.data);
          return;
        case "hint":
          if (message.hint === "visible" || message.hint === "hidden") visible = message.hint === "visible";
          hinted(message.hint);
          return;
        case "reconnect":
          session.reconnect();
          return;
        case "wantToken":
          void giveToken(message.request, message.refused);
          return;
        case "probe":
          say({ kind: "probed" });
          return;
        case "applied":
          for (const events of underWay.slice(0, message.count)) noteShown(events);
          underWay = underWay.slice(message.count);
          if (message.isShown) {
            const isStale = showing === "stale";
            showing = "idle";
            if (isStale) show();
          }
          if (underWay.length > deliveriesUnderWayMax / 2) return;
          for (const reader of readers.values()) if (reader.stop === undefined) read(reader);
          return;
        default:
          return;
      }
    },
    leave(isGone) {
      for (const key of [...readers.keys()]) end(key);
      for (const [ticket, waiter] of [...waiters]) orders.leave(ticket, waiter, isGone);
      waiters.clear();
    },
  };
}

function shareable(status: SubscriptionStatus): SharedStatus {
  switch (status.kind) {
    case "refused":
      return { kind: "refused", error: status.error.toBody() };
    case "stopped":
      return { kind: "waiting" };
    default:
      return status;
  }
}
