/**
 * A session whose socket is elsewhere: the same face, over a port to the host.
 *
 *   looking ─port─▶ joining ─joined─▶ at the host ─host gone─▶ looking
 *
 * Everything a caller holds is here and not at the host: cursors, requests with the ids under which they went
 * out, whose all of it is. So a host may die at any moment: the next one is asked from these cursors, and
 * unanswered requests go out again as what they were (I1, I2). A host of another user is told nothing before
 * what was the former one's is gone (OP-5). It deliberately has no policy for connections: the host's core has.
 */
import { type Clock, type Identity, limits, ProtocolError, type Random } from "@holdfast/protocol";
import type { HeardSignal, SessionOptions, SessionState, SubscribeOptions, Subscription } from "../api.ts";
import type { Hint } from "../core/connectionState.ts";
import { makeDisplayLag } from "../core/displayLag.ts";
import { guard } from "../core/effects.ts";
import type { DurableSession } from "../durable/durableSession.ts";
import { report as reportUncaught } from "../shell/handlers.ts";
import type { FromTab, ShownInTab, ToTab, Wanted } from "./messages.ts";
import { batching, type Locks, type Port } from "./port.ts";
import { makeTabReader, type TabReader } from "./reader.ts";
import { makeTabRequests, unanswered } from "./requests.ts";
import { makeTokenWishes } from "./tokenWishes.ts";
import { addStatistics, noStatistics } from "./totals.ts";

/** How a tab finds its host, and the next one. */
export interface Link {
  /** `attach` with a port to each host that is new; `detach` when it is gone; `probe` asks it for a word. */
  start(tab: { attach(port: Port<ToTab, FromTab>): void; detach(): void; probe(): void }): void;
  /** The host took this tab in; its lock says how long it lives. */
  joined(hostLock: string): void;
  /** The host is of another version. */
  refused(): void;
  /** The host answered a probe. */
  probed(): void;
  stop(): Promise<void>;
}

export interface TabSessionOptions {
  readonly options: SessionOptions;
  readonly wanted: Wanted;
  /** Names this tab among all; the lock that it holds is called so too. */
  readonly tab: string;
  readonly locks: Locks;
  readonly link: Link;
  readonly clock: Clock;
  readonly random: Random;
  /** Tells what is known of this tab's page. Returns how to stop it. */
  readonly watch: (tell: (hint: Hint) => void) => () => void;
  /** A callback's fault; uncaught by default. */
  readonly report?: (error: unknown) => void;
}

export function makeTabSession(tab: TabSessionOptions): DurableSession {
  const { options, wanted, link, clock, random, watch, report = reportUncaught } = tab;
  const lock = `tab ${tab.tab}`;
  const readers = new Set<TabReader>();
  const listeners = new Set<() => void>();
  const hearers = new Set<(heard: HeardSignal) => void>();
  const lag = makeDisplayLag();
  const requests = makeTabRequests(say, clock, random, report);
  // Whose state is held is nothing to it: asked and granted before that is known, too.
  const wishes = makeTokenWishes(reply);
  let keys = 0;
  let host: { say(message: FromTab): void; flush(): void; close(): void } | undefined;
  /** The host may be told what we hold. */
  let isAtHost = false;
  let identity: Identity | undefined;
  let before = noStatistics;
  let hints: readonly Hint[] = [];
  let closing: Promise<void> | undefined;
  let shown: ShownInTab = {
    state: { kind: "idle" },
    statistics: noStatistics,
    user: undefined,
    outbox: 0,
    clockOffset: 0,
    saved: [],
  };

  function say(message: FromTab): void {
    if (isAtHost) host?.say(message);
  }

  /** To the host that is there, whether or not it may know what we hold. */
  function reply(message: FromTab): void {
    host?.say(message);
  }

  function show(next: ShownInTab): void {
    shown = next;
    for (const listener of [...listeners]) guard(listener, report);
  }

  function attach(port: Port<ToTab, FromTab>): void {
    detach();
    const mine = { ...batching(port), close: () => port.close() };
    host = mine;
    port.listen((batch) => {
      if (host === mine) takeBatch(batch);
    });
    mine.say({ kind: "join", wanted, lock, expect: identity });
    wishes.repeat();
    mine.flush();
  }

  function detach(): void {
    host?.close();
    if (host === undefined) return;
    host = undefined;
    isAtHost = false;
    before = shown.statistics;
    requests.lose();
    for (const reader of readers) reader.lose();
    if (closing === undefined) show({ ...shown, state: { kind: "connecting", attempt: 1 } });
  }

  function takeBatch(batch: readonly ToTab[]): void {
    let count = 0;
    let isShown = false;
    for (const message of batch) {
      if (message.kind === "shown") isShown = true;
      if (message.kind === "deliver" || message.kind === "deliverSnapshot" || message.kind === "deliverReset")
        count += 1;
      take(message);
    }
    if (count > 0 || isShown) reply({ kind: "applied", count, isShown });
  }

  function take(message: ToTab): void {
    switch (message.kind) {
      case "joined":
        link.joined(message.lock);
        meet(message.identity);
        return;
      case "refused":
        link.refused();
        return;
      case "shown": {
        meet(message.identity);
        const statistics = addStatistics(before, message.shown.statistics, lag.figures(clock.monotonic()));
        show({ ...message.shown, statistics });
        if (isAtHost)
          requests.shown(
            message.shown.user === undefined ? undefined : message.serverNow,
            openStates.has(message.shown.state.kind),
          );
        return;
      }
      case "deliver":
      case "deliverSnapshot":
      case "deliverReset":
      case "status":
        for (const reader of [...readers]) reader.take(message);
        return;
      case "named":
      case "settled":
        requests.take(message);
        return;
      case "signalHeard":
        for (const hear of [...hearers]) guard(() => hear(message.heard), report);
        return;
      case "identityChanged":
        forget();
        return;
      case "askToken":
        void answerToken(message);
        return;
      case "tokenGiven":
        wishes.take(message);
        return;
      case "probed":
        link.probed();
        return;
    }
  }

  /** Where we hold somebody's state, a host hears of it only once it is known to be the same one's (OP-5). */
  function meet(whose: Identity | undefined): void {
    if (whose !== undefined && identity !== undefined && !isSameIdentity(whose, identity)) forget();
    if (whose === undefined && identity !== undefined) return;
    identity = whose;
    if (isAtHost) return;
    isAtHost = true;
    for (const hint of hints) say({ kind: "hint", hint });
    for (const reader of readers) reader.ask();
    requests.repeat();
  }

  /** OP-5: what we hold is another user's. */
  function forget(): void {
    identity = undefined;
    requests.abandon(() => new ProtocolError("forbidden", "the session is another user's"));
    for (const reader of readers) reader.reset();
    guard(() => options.onIdentityChanged?.(), report);
  }

  async function answerToken({ request, why }: Extract<ToTab, { kind: "askToken" }>): Promise<void> {
    const asked = host;
    try {
      const token = (await options.getToken?.(why)) ?? null;
      asked?.say({
        kind: "token",
        request,
        outcome: token === null ? { kind: "signedOut" } : { kind: "token", token },
      });
    } catch {
      asked?.say({ kind: "token", request, outcome: { kind: "unreachable" } });
    }
  }

  function subscribe(stream: string, subscribeOptions: SubscribeOptions): Subscription {
    const nextKey = (): number => {
      keys += 1;
      return keys;
    };
    const applied: Parameters<typeof makeTabReader>[2]["applied"] = (events) => {
      if (reader.face.status.kind === "live") lag.note(events, clock.now() + shown.clockOffset);
    };
    const reader = makeTabReader(stream, subscribeOptions, { say, nextKey, applied, report });
    if (closing === undefined) {
      readers.add(reader);
      if (isAtHost) reader.ask();
    }
    const { face } = reader;
    return {
      stream,
      get status() {
        return face.status;
      },
      get cursor() {
        return face.cursor;
      },
      unsubscribe() {
        if (readers.delete(reader)) reader.stop();
      },
    };
  }

  function hint(told: Hint): void {
    const opposite = opposites[told];
    if (opposite !== undefined) hints = [...hints.filter((kept) => kept !== opposite && kept !== told), told];
    say({ kind: "hint", hint: told });
  }

  async function end(): Promise<void> {
    // CL-8: what was asked gets up to a second for its answer.
    await requests.drained(limits.closeFlushMs);
    say({ kind: "leave" });
    host?.flush();
    unwatch();
    await link.stop();
    release();
    detach();
    requests.abandon(unanswered);
    wishes.abandon();
    readers.clear();
    show({ ...shown, state: { kind: "stopped", reason: "closed" } });
    listeners.clear();
    hearers.clear();
  }

  const session: DurableSession = {
    get state() {
      return shown.state;
    },
    get statistics() {
      return shown.statistics;
    },
    get user() {
      return shown.user;
    },
    get outbox() {
      return Math.max(shown.outbox, requests.size);
    },
    get clockOffset() {
      return shown.clockOffset;
    },
    get saved() {
      return shown.saved;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    subscribe,
    async call(method, params, callOptions) {
      if (closing !== undefined)
        throw new ProtocolError("unavailable", `${method}: the session is closed; it was not sent`);
      return await requests.call(method, params, callOptions);
    },
    outcome: (ticket) => requests.outcome(ticket),
    withdraw: (ticket) => requests.withdraw(ticket),
    signal: (stream, signal, data) => say({ kind: "signal", stream, signal, data }),
    onSignal(listener) {
      hearers.add(listener);
      return () => hearers.delete(listener);
    },
    token: (refused) => (wanted.usesToken || refused !== undefined ? wishes.token(refused) : Promise.resolve(null)),
    reconnect: () => say({ kind: "reconnect" }),
    hint,
    close() {
      closing ??= end();
      return closing;
    },
  };
  const unwatch = watch(hint);
  // Who joins must hold its lock already: the host takes a free one for a death.
  const release = tab.locks.acquire(lock, () => {
    if (closing === undefined) link.start({ attach, detach, probe: () => reply({ kind: "probe" }) });
  });
  return session;
}

const openStates: ReadonlySet<SessionState["kind"]> = new Set(["live", "catchingUp", "degraded"]);

const opposites: Readonly<Partial<Record<Hint, Hint>>> = {
  online: "offline",
  offline: "online",
  visible: "hidden",
  hidden: "visible",
};

const isSameIdentity = (one: Identity, other: Identity): boolean =>
  one.user === other.user && one.workspace === other.workspace;
