/**
 * The shell's loop: a mailbox of events, one step each, and effects performed as they come.
 *
 * An event that arrives while another is being worked on (a handler that calls, subscribes or closes)
 * waits its turn; only what a handler threw goes before the rest of the mail, so that nothing more of
 * its stream is given to it (ST-6). It decides nothing: the core does.
 */
import type { Clock, Random, Transport } from "@holdfast/protocol";
import type { SessionHttp, SessionOptions } from "../api.ts";
import type { TokenOutcome, TokenReason } from "../core/connectionState.ts";
import type { SessionEffect } from "../core/effects.ts";
import { readFrame } from "../core/reader.ts";
import { type SessionEvent, stepSession } from "../core/session.ts";
import type { SessionCore } from "../core/sessionCore.ts";
import type { Throw } from "../core/subscriber.ts";
import { askServer } from "./http.ts";
import { makeSocket } from "./socket.ts";
import { makeTimers } from "./timers.ts";

/** An event as the shell makes it: the loop adds the time at which it is taken. */
type Untimed<Event> = Event extends unknown ? Omit<Event, "now"> : never;
export type Mail = Untimed<SessionEvent>;

export interface Engine {
  post(mail: Mail): void;
  /** Cancels every timer. */
  halt(): void;
}

export interface EngineOptions {
  readonly core: SessionCore;
  readonly session: SessionOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly http: SessionHttp;
  readonly url: () => string;
  /** What is not the engine's own: handlers, promises, the application's callbacks. */
  readonly perform: (effect: SessionEffect) => { readonly subscriber: number; readonly thrown: Throw } | undefined;
  /** The mailbox is empty: what is shown may have changed. */
  readonly rested: () => void;
}

export function makeEngine(options: EngineOptions): Engine {
  const { core, session, clock, random, transport, http, url, perform, rested } = options;
  let mailbox: { readonly mail: Mail; readonly isCurrent: (() => boolean) | undefined }[] = [];
  let working = false;
  let flushPlanned = false;
  const timers = makeTimers(clock, (timer, isCurrent, late) => {
    if (late) post({ kind: "hinted", hint: "woke" });
    post({ kind: timer }, isCurrent);
  });
  const socket = makeSocket(transport, url, {
    opened(attempt) {
      try {
        if (session.agent !== undefined) post({ kind: "agentDescribed", agent: session.agent() });
        post({ kind: "socketOpened", attempt });
      } catch (error) {
        post({ kind: "socketClosed", attempt, code: 1006, reason: String(error) });
      }
    },
    received(attempt, frame) {
      const messages = readFrame(frame);
      enqueue({ kind: "frameHeard", attempt, spread: undefined });
      if (messages === undefined) enqueue({ kind: "unreadableFrame" });
      for (const value of messages ?? []) enqueue({ kind: "message", attempt, value });
      work();
    },
    closed: (attempt, code, reason) => post({ kind: "socketClosed", attempt, code, reason }),
  });

  function enqueue(mail: Mail, isCurrent?: () => boolean): void {
    mailbox.push({ mail, isCurrent });
  }

  function post(mail: Mail, isCurrent?: () => boolean): void {
    enqueue(mail, isCurrent);
    work();
  }

  function work(): void {
    if (working) return;
    working = true;
    try {
      while (mailbox.length > 0) {
        const taken = mailbox;
        mailbox = [];
        for (const { mail, isCurrent } of taken) if (isCurrent?.() ?? true) take(mail);
      }
    } finally {
      working = false;
    }
    socket.flush();
    rested();
  }

  function take(mail: Mail): void {
    const effects = stepSession(core, { ...mail, now: clock.monotonic() } as SessionEvent, random);
    const threw: Mail[] = [];
    for (const effect of effects) {
      const thrown = act(effect);
      if (thrown !== undefined) threw.push({ kind: "handlerThrew", ...thrown });
    }
    for (const event of threw) take(event);
  }

  function act(effect: SessionEffect): ReturnType<EngineOptions["perform"]> {
    switch (effect.kind) {
      case "send":
        socket.write(effect.text);
        return;
      case "arm":
        timers.arm(effect.timer, effect.atMs);
        return;
      case "disarm":
        timers.disarm(effect.timer);
        return;
      case "openSocket":
        socket.open(effect.attempt);
        return;
      case "dropSocket":
        socket.drop(effect.attempt);
        return;
      case "endSocket":
        socket.end(effect.attempt);
        return;
      case "askToken":
        void answerToken(effect.request, effect.why);
        return;
      case "flushSoon":
        planFlush();
        return;
      default:
        return perform(effect);
    }
  }

  async function answerToken(request: number, why: TokenReason): Promise<void> {
    try {
      post({ kind: "tokenAnswered", request, outcome: await askCredential(why) });
    } catch {
      post({ kind: "tokenAnswered", request, outcome: { kind: "unreachable" } });
    }
  }

  /** A program's token, or what the server says of the cookie. */
  async function askCredential(why: TokenReason): Promise<TokenOutcome> {
    if (session.getToken === undefined || why === "unopened") return askServer(http, why === "expiring");
    const token = await session.getToken(why);
    return token === null ? { kind: "signedOut" } : { kind: "token", token };
  }

  function planFlush(): void {
    if (flushPlanned) return;
    flushPlanned = true;
    queueMicrotask(() => {
      flushPlanned = false;
      post({ kind: "flush" });
    });
  }

  return { post: (mail) => post(mail), halt: () => timers.disarmAll() };
}
