/**
 * The façade: wires core, engine and the program's own functions into the face that `api.ts` fixes.
 *
 * One session owns one socket, and every way to reach it goes through the engine's mailbox. It holds no policy;
 * what outlives a connection is in the core. Other entries of this package open one with parts of their own, and
 * give it more face; a plain session carries nothing of theirs.
 */
import { type Clock, makeId, ProtocolError, type Random } from "@holdfast/protocol";
import type {
  CallOptions,
  HeardSignal,
  Session,
  SessionOptions,
  SessionState,
  SessionStatistics,
  SubscribeOptions,
  Subscription,
} from "./api.ts";
import { isUsable } from "./core/attempt.ts";
import type { Decision, SubscriberEffect } from "./core/effects.ts";
import { keepIfEqual } from "./core/keepIfEqual.ts";
import { type Asked, withdraw } from "./core/outbox.ts";
import { call, judge, signal, subscribe, unsubscribe } from "./core/program.ts";
import { publicState, publicStatistics } from "./core/publicState.ts";
import { makeSessionCore, type Room, type SessionContext, type SessionCore } from "./core/sessionCore.ts";
import { makeSubscriber, type Throw } from "./core/subscriber.ts";
import { makeCredentials } from "./shell/credentials.ts";
import { makeEngine } from "./shell/engine.ts";
import { runHandler } from "./shell/handlers.ts";
import { isLoopback, pageUrl, watchBrowser } from "./shell/hints.ts";
import { toJson } from "./shell/json.ts";
import { makeListeners } from "./shell/listeners.ts";
import { platformClock, platformRandom } from "./shell/platform.ts";
import { hasCookies, platformHttp, platformTransport, warn } from "./shell/platformNetwork.ts";

/** What an entry of this package adds to a plain session. */
export interface SessionParts {
  readonly room?: Room;
  /** An agent is somebody else to HTTP, so a cookie does not say who it is (OP-6). */
  readonly isAgent?: boolean;
  /** Its pages are elsewhere: their visibility and network are told by `hint`, and it is they who show. */
  readonly isLent?: boolean;
}

/** A session that owns its socket, and what the other entries need of it. */
export interface OwnedSession {
  readonly session: Session;
  readonly core: SessionCore;
  readonly clock: Clock;
  readonly random: Random;
  /** Runs in the core's turn; at once, where no other event is being worked on. */
  say(say: (context: SessionContext) => void): void;
  /** The first attempt. */
  start(): void;
  /** Tells the listeners of `onChange`, for what a part shows besides. */
  changed(): void;
  /** Rejects what comes after `close()`. */
  assertOpen(what: string): void;
}

export function openSession(options: SessionOptions, parts: SessionParts = {}): OwnedSession {
  const { room, isAgent = false, isLent = false } = parts;
  const { clock = platformClock, random = platformRandom, transport = platformTransport } = options;
  const { url: address = pageUrl(), clientName, clientVersion = "0", getToken } = options;
  const url = (): string => (typeof address === "string" ? address : address());
  const wallOffsetMs = (): number => clock.now() - clock.monotonic();
  const http = options.http ?? platformHttp(url);
  const { add: onChange, tell: changed } = makeListeners<[]>();
  const { add: onSignal, tell: heard } = makeListeners<[HeardSignal]>();
  let closing: Promise<void> | undefined;
  let closed: (() => void) | undefined;
  let unwatch: (() => void) | undefined;

  const core = makeSessionCore(
    {
      client: { name: clientName, version: clientVersion },
      instance: makeId(clock.now(), random),
      listeners: {
        problem: options.onProblem ?? warn,
        identityChanged: () => options.onIdentityChanged?.(),
        signal: heard,
      },
      room,
    },
    {
      usesToken: getToken !== undefined,
      usesCookie: getToken === undefined && !isAgent && (options.http !== undefined || hasCookies()),
      serverOffsetMs: wallOffsetMs(),
    },
  );
  const credentials = makeCredentials(getToken, http, (token) => isUsable(token, core.connection, clock.monotonic()));
  const engine = makeEngine({
    core,
    clock,
    random,
    transport,
    url,
    credentials,
    deliver,
    rested,
  });
  const say = (run: (context: SessionContext) => void): void => engine.post({ kind: "said", say: run });
  let shown = show(undefined);

  function show(before: Shown | undefined): Shown {
    return keepIfEqual(before, {
      state: keepIfEqual(before?.state, publicState(core, wallOffsetMs())),
      statistics: keepIfEqual(before?.statistics, publicStatistics(core, clock.monotonic())),
      user: core.user,
      outbox: core.outbox.entries.size,
    });
  }

  function rested(): void {
    const before = shown;
    shown = show(before);
    if (core.connection.state.kind === "closed") {
      unwatch?.();
      closed?.();
    }
    if (shown !== before) changed();
  }

  function deliver(effect: SubscriberEffect): ((context: SessionContext) => void) | undefined {
    const { subscriber } = effect;
    if (subscriber.gone) return undefined;
    const verdict = (word: Throw | Decision) => (turn: SessionContext) => judge(core, subscriber, word, turn);
    const thrown = runHandler(effect, (decision) => say(verdict(decision)));
    if (effect.kind === "deliver" && subscriber.shown.kind === "live" && !isLent)
      core.lag.note(effect.events, clock.monotonic() + core.connection.serverOffsetMs);
    return thrown && verdict(thrown);
  }

  function assertOpen(what: string): void {
    if (closing !== undefined) throw new ProtocolError("unavailable", `${what}: the session is closed`);
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
    get outbox() {
      return shown.outbox;
    },
    get clockOffset() {
      return Math.round(core.connection.serverOffsetMs - wallOffsetMs());
    },
    onChange,
    subscribe(stream: string, subscribeOptions: SubscribeOptions): Subscription {
      const subscriber = makeSubscriber(stream, subscribeOptions);
      if (closing === undefined) say(() => subscribe(core, subscriber));
      return {
        stream,
        get status() {
          return subscriber.shown;
        },
        get cursor() {
          return (subscriber.before ?? subscriber).cursor;
        },
        unsubscribe() {
          subscriber.gone = true;
          say(() => unsubscribe(core, subscriber));
        },
      };
    },
    async call(method: string, params: unknown, { signal: abort, timeout }: CallOptions = {}) {
      abort?.throwIfAborted();
      assertOpen(method);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const asked: Asked = {
        method,
        params: toJson(params ?? {}, method),
        timeoutMs: timeout,
        settled: (result, error) => (error === undefined ? resolve(result) : reject(error)),
      };
      const withdrawn = (): void => {
        // What was sent cannot be unsent: then only the caller stops waiting.
        reject(abort?.reason);
        say((turn) => withdraw(core.outbox, asked, turn));
      };
      abort?.addEventListener("abort", withdrawn);
      say((turn) => call(core, asked, turn));
      return promise.finally(() => abort?.removeEventListener("abort", withdrawn));
    },
    signal: (stream, name, data) => say(() => signal(core, stream, name, data)),
    onSignal,
    token: credentials.token,
    reconnect: () => engine.post({ kind: "reconnectAsked" }),
    hint(hint) {
      if (hint !== "offline" || !isLoopback(url)) engine.post({ kind: "hinted", hint });
    },
    close() {
      closing ??= new Promise((resolve) => {
        closed = resolve;
        engine.post({ kind: "closeAsked" });
      });
      return closing;
    },
  };
  if (!isLent) unwatch = watchBrowser(session.hint);
  return {
    session,
    core,
    clock,
    random,
    say,
    start: () => engine.post({ kind: "start" }),
    changed,
    assertOpen,
  };
}

interface Shown {
  readonly state: SessionState;
  readonly statistics: SessionStatistics;
  readonly user: Session["user"];
  readonly outbox: number;
}
