/**
 * The shell's loop: a mailbox of events, one step each, and effects performed as they come.
 *
 * An event that arrives while another is being worked on (a handler that calls, subscribes or closes)
 * waits its turn; only what a handler threw goes before the rest of the mail, so that nothing more of
 * its stream is given to it (ST-6). It decides nothing: the core does.
 */
import { type Clock, limits, type Random, type TimerHandle, type Transport } from "@holdfast/protocol";
import { guard, type SubscriberEffect } from "../core/effects.ts";
import { readFrame } from "../core/reader.ts";
import { type SessionEvent, sessionDueMs, stepSession } from "../core/session.ts";
import type { SessionContext, SessionCore } from "../core/sessionCore.ts";
import type { Credentials } from "./credentials.ts";
import { report } from "./handlers.ts";
import { makeSocket } from "./socket.ts";

/** An event as the shell makes it: the loop adds the time at which it is taken. */
type Untimed<Event> = Event extends unknown ? Omit<Event, "now"> : never;
export type Mail = Untimed<SessionEvent>;

export interface Engine {
  post(mail: Mail): void;
}

export interface EngineOptions {
  readonly core: SessionCore;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly url: () => string;
  readonly credentials: Credentials;
  /** Runs a subscriber's handler; what it threw goes back into the core. */
  readonly deliver: (effect: SubscriberEffect) => ((context: SessionContext) => void) | undefined;
  /** The mailbox is empty: what is shown may have changed. */
  readonly rested: () => void;
}

export function makeEngine(options: EngineOptions): Engine {
  const { core, clock, random, transport, url, credentials, deliver, rested } = options;
  let mailbox: Mail[] = [];
  let working = false;
  let flushPlanned = false;
  let timer: TimerHandle;
  let armedMs = Number.POSITIVE_INFINITY;
  const socket = makeSocket(transport, url, {
    opened: (attempt) => post({ kind: "socketOpened", attempt }),
    received(attempt, frame) {
      mailbox.push({ kind: "frameHeard", attempt });
      for (const value of readFrame(frame) ?? [undefined]) mailbox.push({ kind: "message", attempt, value });
      work();
    },
    closed: (attempt, code, reason) => post({ kind: "socketClosed", attempt, code, reason }),
  });

  function post(mail: Mail): void {
    mailbox.push(mail);
    work();
  }

  function work(): void {
    if (working) return;
    working = true;
    try {
      while (mailbox.length > 0) {
        const taken = mailbox;
        mailbox = [];
        for (const mail of taken) take(mail);
      }
    } finally {
      working = false;
    }
    socket.flush();
    arm(sessionDueMs(core));
    rested();
  }

  function take(mail: Mail): void {
    const threw: ((context: SessionContext) => void)[] = [];
    for (const effect of stepSession(core, { ...mail, now: clock.monotonic() } as SessionEvent, random)) {
      switch (effect.kind) {
        case "send":
          socket.write(effect.text);
          break;
        case "openSocket":
          socket.openSocket(effect.attempt);
          break;
        case "dropSocket":
        case "endSocket":
          socket[effect.kind]();
          break;
        case "askToken": {
          const { request, why, old } = effect;
          void credentials.ask(why, old).then((outcome) => post({ kind: "tokenAnswered", request, outcome }));
          break;
        }
        case "tell":
          guard(effect.tell, report);
          break;
        default: {
          const thrown = deliver(effect);
          if (thrown !== undefined) threw.push(thrown);
        }
      }
    }
    for (const say of threw) take({ kind: "said", say });
    if (mail.kind === "said") planFlush();
  }

  /** One timer a session, at the moment that the core names. */
  function arm(atMs: number): void {
    if (atMs === armedMs) return;
    clock.cancel(timer);
    armedMs = atMs;
    if (atMs < Number.POSITIVE_INFINITY) timer = clock.after(Math.max(0, Math.ceil(atMs - clock.monotonic())), due);
  }

  function due(): void {
    // A timer this late means that the machine or the page slept (LV-4); what that changes is changed first.
    const isLate = clock.monotonic() - armedMs > limits.wakeTimerLateMs;
    armedMs = Number.POSITIVE_INFINITY;
    if (isLate) post({ kind: "hinted", hint: "woke" });
    post({ kind: "due" });
  }

  /** What the program says in one go is said to the server in one go. */
  function planFlush(): void {
    if (flushPlanned) return;
    flushPlanned = true;
    queueMicrotask(() => {
      flushPlanned = false;
      post({ kind: "flush" });
    });
  }

  return { post };
}
