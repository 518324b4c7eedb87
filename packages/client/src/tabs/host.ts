/**
 * The host: where the one socket of a browser is, and who sits around it.
 *
 * Life: made in a shared worker, or in the tab that leads. It opens its session with the first tab that
 * joins, closes it `lingerMs` after the last one left (a reload comes back sooner), and ends with its room.
 * Invariants: one session at a time; it is visible when any tab is; a tab that died is noticed by its lock.
 * It keeps no cursor of anybody: each tab has its own, so nothing is lost with the host.
 */
import type { Clock, Identity, TimerHandle } from "@holdfast/protocol";
import type { SessionOptions } from "../api.ts";
import type { OwnedDurableSession } from "../durable/durableSession.ts";
import { type FromTab, type Join, type ToTab, tabsVersion, type Wanted } from "./messages.ts";
import { batching, type Locks, type Port, watchLock } from "./port.ts";
import { makeSeat, type Seat } from "./seat.ts";
import { makeTokens, type Tokens } from "./tokens.ts";

/** The last tab left: a reload joins again within this, and finds the socket open. */
export const lingerMs = 1_000;

export interface HostOptions {
  /** Opens the session that is lent. */
  readonly open: (options: SessionOptions, lent: { readonly expect: Identity | undefined }) => OwnedDurableSession;
  /** The lock that this host holds while it lives. */
  readonly lock: string;
  readonly locks: Locks;
  readonly clock: Clock;
}

export interface Host {
  accept(port: Port<FromTab, ToTab>): void;
  /** Closes the session; tabs keep what they wait for, for the next host. */
  stop(): Promise<void>;
}

interface Lent {
  readonly owned: OwnedDurableSession;
  readonly wanted: Wanted;
  readonly tokens: Tokens;
}

interface Place {
  readonly seat: Seat;
  say(message: ToTab): void;
}

export function makeHost({ open, lock, locks, clock }: HostOptions): Host {
  const places = new Set<Place>();
  let lent: Lent | undefined;
  let linger: TimerHandle | undefined;
  let stopped = false;
  let online = true;

  function lend({ wanted, expect }: Join): Lent {
    const tokens = makeTokens(clock, () => [...places].sort((one, other) => +other.seat.visible - +one.seat.visible));
    const { url, clientName, clientVersion, usesToken } = wanted;
    const owned = open(
      {
        url,
        clientName,
        clientVersion,
        ...(usesToken && { getToken: tokens.get }),
        onIdentityChanged: () => tell({ kind: "identityChanged" }),
      },
      { expect },
    );
    owned.session.onChange(() => {
      for (const { seat: taken } of places) taken.show();
    });
    owned.session.onSignal((heard) => {
      for (const { seat: taken } of places) taken.hear(heard);
    });
    return { owned, wanted, tokens };
  }

  function tell(message: ToTab): void {
    for (const place of places) place.say(message);
  }

  function seat(port: Port<FromTab, ToTab>, join: Join): ((message: FromTab) => void) | undefined {
    const { say, flush } = batching(port);
    if (stopped || !isSame(join.wanted, lent?.wanted ?? join.wanted) || join.wanted.version !== tabsVersion) {
      say({ kind: "refused", reason: "another version of this program has the socket" });
      flush();
      return undefined;
    }
    clock.cancel(linger);
    lent ??= lend(join);
    const { owned, tokens } = lent;
    const place: Place = { say, seat: makeSeat(owned, say, () => shown(owned), hinted) };
    places.add(place);
    tokens.joined();
    say({ kind: "joined", lock, identity: owned.identity });
    place.seat.show();
    const leave = (): void => {
      unwatch();
      if (!places.delete(place)) return;
      place.seat.leave(true);
      tokens.left(place);
      port.close();
      followVisibility();
      if (places.size === 0) linger = clock.after(lingerMs, () => void end());
    };
    const unwatch = watchLock(locks, join.lock, leave);
    return (message) => {
      if (message.kind === "leave") leave();
      else if (message.kind === "token") tokens.answered(message.request, message.outcome);
      else place.seat.take(message);
    };
  }

  function hinted(hint: "online" | "offline" | "visible" | "hidden" | "woke"): void {
    if (hint === "visible" || hint === "hidden") followVisibility();
    else if (hint === "woke") lent?.owned.session.hint(hint);
    else if (online !== (hint === "online")) {
      online = hint === "online";
      lent?.owned.session.hint(hint);
    }
  }

  /** LV-1: hidden only when all tabs are. The core tells the server what changed. */
  function followVisibility(): void {
    const isVisible = [...places].some(({ seat }) => seat.visible);
    if (places.size > 0) lent?.owned.session.hint(isVisible ? "visible" : "hidden");
  }

  async function end(): Promise<void> {
    const ended = lent;
    lent = undefined;
    online = true;
    await ended?.owned.session.close();
  }

  return {
    accept(port) {
      let take: ((message: FromTab) => void) | undefined;
      port.listen((batch) => {
        for (const message of batch) {
          if (message.kind === "join") take = seat(port, message);
          else take?.(message);
        }
      });
    },
    async stop() {
      stopped = true;
      clock.cancel(linger);
      // They live, and their requests are the next host's: we release none.
      for (const place of [...places]) place.seat.leave(false);
      places.clear();
      await end();
    },
  };
}

function shown({ session, identity, serverNow }: OwnedDurableSession): ToTab {
  const { state, statistics, user, outbox, clockOffset, saved } = session;
  const shownInTab = { state, statistics, user, outbox, clockOffset, saved };
  return { kind: "shown", identity, shown: shownInTab, serverNow: serverNow() };
}

function isSame(one: Wanted, other: Wanted): boolean {
  return (Object.keys(one) as (keyof Wanted)[]).every((key) => one[key] === other[key]);
}
