/**
 * The façade: wires core, engine and the program's own functions into the face that `api.ts` fixes.
 *
 * One session owns one socket, and every way to reach it goes through the engine's mailbox. It holds no
 * policy; what outlives a connection is in the core.
 */
import { assert, type Clock, type Identity, ProtocolError, uuidv7 } from "@holdfast/protocol";
import type {
  CallOptions,
  HeardSignal,
  MethodMap,
  Session,
  SessionOptions,
  SessionState,
  SessionStatistics,
  SubscribeOptions,
  Subscription,
} from "./api.ts";
import { makeDisplayLag } from "./core/displayLag.ts";
import type { SessionEffect } from "./core/effects.ts";
import { publicState, publicStatistics } from "./core/publicState.ts";
import { holdIdentity, makeSessionCore } from "./core/sessionCore.ts";
import type { Throw } from "./core/subscriber.ts";
import { type Engine, makeEngine } from "./shell/engine.ts";
import { guard, type Handler, runHandler } from "./shell/handlers.ts";
import { isLoopback, pageUrl, watchBrowser } from "./shell/hints.ts";
import { makeOrders, type Orders, type Waiter } from "./shell/orders.ts";
import { hasCookies, platformClock, platformHttp, platformRandom, platformTransport, warn } from "./shell/platform.ts";
import { makeProducers } from "./shell/producers.ts";
import { makePromises, toJson } from "./shell/promises.ts";

/** Opens a session and starts it. It lives until `close()`. */
export function createSession<Methods extends MethodMap = MethodMap>(options: SessionOptions): Session<Methods> {
  const session = options.share?.open(options) ?? openSession(options).session;
  return session as Session<Methods>;
}

/** A session that owns its socket, and what another room needs of it to lend it to others. */
export interface OwnedSession {
  readonly session: Session;
  readonly orders: Orders;
  /** Whose it is, or is expected to be (OP-5). */
  readonly identity: Identity | undefined;
}

/** @param lent its pages are elsewhere: their visibility and network are told by `hint`. */
export function openSession(options: SessionOptions, lent?: { readonly expect: Identity | undefined }): OwnedSession {
  const { storage } = options;
  const { clock = platformClock, random = platformRandom, transport = platformTransport } = options;
  const wallOffsetMs = (): number => clock.now() - clock.monotonic();
  const core = makeSessionCore({
    client: { name: options.clientName, version: options.clientVersion ?? "0" },
    instance: uuidv7(clock.now(), random.bytes(10)),
    isAgent: options.agent !== undefined,
    usesToken: options.getToken !== undefined,
    usesCookie: usesCookie(options),
    serverOffsetMs: wallOffsetMs(),
  });
  const handlers = new Map<number, Handler>();
  const listeners = new Set<() => void>();
  const hearers = new Set<(heard: HeardSignal) => void>();
  const promises = makePromises();
  const lag = makeDisplayLag();
  let keys = 0;
  let closing: Promise<void> | undefined;
  let closed = (): void => {};
  const { url: address = pageUrl() } = options;
  const url = (): string => (typeof address === "string" ? address : address());
  const http = options.http ?? platformHttp(url);
  const engine: Engine = makeEngine({ core, session: options, clock, random, transport, http, url, perform, rested });
  const producers = makeProducers(core, promises, (event) => engine.post(event), report);
  const orders = makeOrders((event) => engine.post(event), clock, storage, rested, report);
  let shown = show(undefined);
  let unwatch = (): void => {};

  function show(before: Shown | undefined): Shown {
    const { user } = core;
    const state = keepIfEqual(before?.state, publicState(core, wallOffsetMs()));
    const statistics = keepIfEqual(before?.statistics, {
      ...publicStatistics(core),
      ...lag.figures(clock.monotonic()),
    });
    const fresh = { state, statistics, user, outbox: core.outbox.entries.size, saved: orders.saved };
    return keepIfEqual(before, fresh);
  }

  function rested(): void {
    const before = shown;
    shown = show(before);
    const { user } = shown;
    if (user !== undefined && user !== before.user)
      storage?.identify({ user: user.id, workspace: user.workspace }).catch(report);
    if (core.connection.state.kind === "closed") {
      engine.halt();
      unwatch();
      storage?.close();
      handlers.clear();
      closed();
    }
    if (shown !== before) for (const listener of [...listeners]) guard(listener, report);
    if (core.connection.state.kind === "closed") {
      listeners.clear();
      hearers.clear();
    }
  }

  function perform(effect: SessionEffect): { subscriber: number; thrown: Throw } | undefined {
    switch (effect.kind) {
      case "settleRequest":
        // What ends with the session alone waits in the storage for the next one.
        orders.settled(effect.key, effect.result, effect.error, core.connection.state.kind === "closed");
        return;
      case "requestNamed":
        orders.named(effect.key, effect.named);
        return;
      case "saveRequest":
        orders.save(effect.key);
        return;
      case "settleEvent": {
        const key = `${effect.producer}/${effect.ordinal}`;
        if (effect.stopped) promises.reject(key, effect.rejection);
        else promises.resolve(key, effect.rejection);
        return;
      }
      case "drained":
        producers.drained(effect.producer);
        return;
      case "producerStopped":
        producers.stopped(effect.producer, effect.error);
        return;
      case "signalHeard":
        for (const hear of [...hearers]) guard(() => hear(effect.heard), report);
        return;
      case "agentNamed":
        guard(() => options.onAgent?.(effect.agent), report);
        return;
      case "problem":
        guard(() => (options.onProblem ?? warn)(effect.error), report);
        return;
      case "identityChanged":
        storage?.drop().catch(report);
        guard(() => options.onIdentityChanged?.(), report);
        return;
      case "deliver":
      case "deliverSnapshot":
      case "deliverReset":
      case "deliverStatus":
      case "deliverError": {
        const { subscriber } = effect;
        const handler = handlers.get(subscriber);
        const thrown =
          handler &&
          runHandler(handler, effect, (decision) => engine.post({ kind: "decided", subscriber, decision }), report);
        // Lent to others, it is they who show it.
        if (effect.kind === "deliver" && handler?.status.kind === "live" && lent === undefined)
          lag.note(effect.events, clock.monotonic() + core.connection.memory.serverOffsetMs);
        return thrown && { subscriber, thrown };
      }
      default:
        return;
    }
  }

  function subscribe(stream: string, subscribeOptions: SubscribeOptions): Subscription {
    keys += 1;
    const subscriber = keys;
    const handler: Handler = { options: subscribeOptions, status: { kind: "waiting" } };
    if (closing === undefined) {
      handlers.set(subscriber, handler);
      engine.post({
        kind: "subscribe",
        subscriber,
        stream,
        from: subscribeOptions.from,
        takesSnapshots: subscribeOptions.onSnapshot !== undefined,
      });
    }
    return {
      stream,
      get status() {
        return handler.status;
      },
      get cursor() {
        return core.subscribers.get(subscriber)?.subscribers.get(subscriber)?.cursor;
      },
      unsubscribe() {
        if (handlers.delete(subscriber)) engine.post({ kind: "unsubscribe", subscriber });
      },
    };
  }

  async function call(
    method: string,
    params: unknown,
    { signal, timeout, durable = false, lane, onTicket }: CallOptions = {},
  ): Promise<unknown> {
    signal?.throwIfAborted();
    if (closing !== undefined)
      throw new ProtocolError("unavailable", `${method}: the session is closed; it was not sent`);
    const text = toJson(params ?? {}, method);
    const ticket = uuidv7(clock.now(), random.bytes(10));
    const savedAt = clock.now();
    const settled = promises.make<unknown>(ticket);
    const abort = (): void => {
      // What was sent cannot be unsent: then only the caller stops waiting.
      promises.reject(ticket, signal?.reason);
      orders.withdraw(ticket);
    };
    signal?.addEventListener("abort", abort);
    const order = { ticket, method, params: text, lane, timeoutMs: timeout, durable, savedAt, named: undefined };
    // Before `saved` shows it, so that its caller knows it for its own.
    guard(() => onTicket?.(ticket), report);
    orders.place(order, waiter(ticket));
    try {
      return await settled;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  function waiter(promise: string): Waiter {
    return {
      named() {},
      settled(result, error) {
        if (error === undefined) promises.resolve(promise, result);
        else promises.reject(promise, error);
      },
    };
  }

  const session: Session = {
    get state() {
      return shown.state;
    },
    get statistics() {
      return shown.statistics;
    },
    get user() {
      return shown.user;
    },
    get agent() {
      return core.agent;
    },
    get outbox() {
      return shown.outbox;
    },
    get saved() {
      return shown.saved;
    },
    get clockOffset() {
      return Math.round(core.connection.memory.serverOffsetMs - wallOffsetMs());
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    subscribe,
    call,
    outcome(ticket) {
      keys += 1;
      const promise = `outcome/${keys}`;
      const settled = promises.make<unknown>(promise);
      orders.await(ticket, waiter(promise));
      return settled;
    },
    withdraw: (ticket) => orders.withdraw(ticket),
    producer(stream) {
      assert(closing === undefined, `the session is closed: ${stream} gets no producer`);
      return producers.open(stream);
    },
    acknowledge: (stream, cursor) => engine.post({ kind: "acknowledge", stream, cursor }),
    signal: (stream, signal, data) => engine.post({ kind: "signal", stream, signal, data }),
    onSignal(listener) {
      hearers.add(listener);
      return () => hearers.delete(listener);
    },
    reconnect: () => engine.post({ kind: "reconnectAsked" }),
    hint(hint) {
      if (hint !== "offline" || !isLoopbackSafely(url)) engine.post({ kind: "hinted", hint });
    },
    close() {
      closing ??= new Promise((resolve) => {
        closed = resolve;
        engine.post({ kind: "closeAsked" });
      });
      return closing;
    },
  };
  if (lent === undefined) unwatch = watchBrowser(session.hint);
  if (lent?.expect !== undefined) holdIdentity(core, lent.expect);
  void begin();
  return {
    session,
    orders,
    get identity() {
      return core.connection.memory.expect;
    },
  };

  /** What is held says whom to expect (OP-5), so it is read before the first `hello`. */
  async function begin(): Promise<void> {
    const held = storage && (await within(storage.open(), storageOpenMsMax, clock));
    if (held?.identity !== undefined && core.connection.memory.expect === undefined) holdIdentity(core, held.identity);
    orders.begin(held);
    engine.post({ kind: "start" });
  }
}

/** A storage that does not answer in this time is gone without. */
const storageOpenMsMax = 3_000;

/** Undefined where it failed or took too long: the session works without. */
function within<Value>(promise: Promise<Value>, ms: number, clock: Clock): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, () => resolve(undefined));
    promise.then(resolve, () => resolve(undefined)).finally(() => clock.cancel(timer));
  });
}

/** Whether HTTP can tell who this session is: an agent, and a program without cookies, is somebody else there. */
function usesCookie({ getToken, agent, http }: SessionOptions): boolean {
  return getToken === undefined && agent === undefined && (http !== undefined || hasCookies());
}

interface Shown {
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  readonly user: Session["user"];
  readonly outbox: number;
  readonly saved: Session["saved"];
}

/** The older value where the two say the same: a snapshot is stable while nothing changed. */
function keepIfEqual<Value extends object>(before: Value | undefined, after: Value): Value {
  if (before === undefined) return after;
  const keys = Object.keys(after) as (keyof Value)[];
  return keys.length === Object.keys(before).length && keys.every((key) => before[key] === after[key]) ? before : after;
}

function isLoopbackSafely(url: () => string): boolean {
  try {
    return isLoopback(url());
  } catch {
    return false;
  }
}

/** A callback's fault is the program's: it surfaces as an uncaught error, and stops nothing of the session. */
function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
