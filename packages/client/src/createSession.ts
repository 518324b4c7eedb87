/**
 * The façade: wires core, engine and the program's own functions into the face that `api.ts` fixes.
 *
 * One session owns one socket, and every way to reach it goes through the engine's mailbox. It holds no
 * policy; what outlives a connection is in the core.
 */
import { assert, ProtocolError, uuidv7 } from "@holdfast/protocol";
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
import type { SessionEffect } from "./core/effects.ts";
import { publicState, publicStatistics } from "./core/publicState.ts";
import { makeSessionCore } from "./core/sessionCore.ts";
import type { Throw } from "./core/subscriber.ts";
import { type Engine, makeEngine } from "./shell/engine.ts";
import { guard, type Handler, runHandler } from "./shell/handlers.ts";
import { isLoopback, pageUrl, watchBrowser } from "./shell/hints.ts";
import { platformClock, platformRandom, platformTransport } from "./shell/platform.ts";
import { makeProducers } from "./shell/producers.ts";
import { makePromises, toJson } from "./shell/promises.ts";

/** Opens a session and starts it. It lives until `close()`. */
export function createSession<Methods extends MethodMap = MethodMap>(options: SessionOptions): Session<Methods> {
  const { clock = platformClock, random = platformRandom, transport = platformTransport } = options;
  const wallOffsetMs = (): number => clock.now() - clock.monotonic();
  const core = makeSessionCore({
    client: { name: options.clientName, version: options.clientVersion ?? "0" },
    instance: uuidv7(clock.now(), random.bytes(10)),
    isAgent: options.agent !== undefined,
    usesToken: options.getToken !== undefined,
    serverOffsetMs: wallOffsetMs(),
  });
  const handlers = new Map<number, Handler>();
  const listeners = new Set<() => void>();
  const hearers = new Set<(heard: HeardSignal) => void>();
  const promises = makePromises();
  let keys = 0;
  let closing: Promise<void> | undefined;
  let closed = (): void => {};
  const { url: address = pageUrl() } = options;
  const url = (): string => (typeof address === "string" ? address : address());
  const engine: Engine = makeEngine({ core, session: options, clock, random, transport, url, perform, rested });
  const producers = makeProducers(core, promises, (event) => engine.post(event), report);
  let shown = show(undefined);
  let unwatch = (): void => {};

  function show(before: Shown | undefined): Shown {
    const { user } = core;
    const state = keepIfEqual(before?.state, publicState(core, wallOffsetMs()));
    const statistics = keepIfEqual(before?.statistics, publicStatistics(core));
    const fresh = { state, statistics, user, outbox: core.outbox.entries.size };
    return keepIfEqual(before, fresh);
  }

  function rested(): void {
    const before = shown;
    shown = show(before);
    if (core.connection.state.kind === "closed") {
      engine.halt();
      unwatch();
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
        if (effect.error === undefined) promises.resolve(`${effect.key}`, effect.result);
        else promises.reject(`${effect.key}`, effect.error);
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
      case "identityChanged":
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
    { signal, timeout, durable = false, lane }: CallOptions = {},
  ): Promise<unknown> {
    signal?.throwIfAborted();
    if (closing !== undefined)
      throw new ProtocolError("unavailable", `${method}: the session is closed; it was not sent`);
    const text = toJson(params ?? {}, method);
    keys += 1;
    const key = keys;
    const settled = promises.make<unknown>(`${key}`);
    const abort = (): void => {
      // What was sent cannot be unsent: then only the caller stops waiting.
      promises.reject(`${key}`, signal?.reason);
      engine.post({ kind: "withdraw", key });
    };
    signal?.addEventListener("abort", abort);
    engine.post({ kind: "call", request: { key, method, params: text, lane, timeoutMs: timeout, durable } });
    try {
      return await settled;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  const session: Session<Methods> = {
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
    get clockOffset() {
      return Math.round(core.connection.memory.serverOffsetMs - wallOffsetMs());
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    subscribe,
    call: (method, params, callOptions) =>
      call(method, params, callOptions) as Promise<Methods[typeof method]["result"]>,
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
  unwatch = watchBrowser(session.hint);
  engine.post({ kind: "start" });
  return session;
}

interface Shown {
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  readonly user: Session["user"];
  readonly outbox: number;
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
