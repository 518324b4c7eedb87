/**
 * The whole core of a session: the connection, and the rooms that outlive connections.
 *
 * `stepSession` takes one event and returns what the shell is to do. It changes `core` in place (an outbox
 * or a producer's buffer is not copied for each event), and like every core here it knows no clock, no
 * dice, no socket and no promise, nor which thread it runs in. Invariants: rooms speak only while the
 * connection is open (OP-1, OP-5), and are told of every loss exactly once; each timer that is armed is
 * a function of the state, so an idle or closed core has none (F18).
 */
import type { HelloAgent, Random } from "@holdfast/protocol";
import { type ConnectionEvent, type ConnectionTimer, connectionTimers } from "./connectionState.ts";
import { type SessionEffect, type TimerName, timerNames } from "./effects.ts";
import { readServerMessage } from "./inbound.ts";
import { outboxDue, outboxDueMs } from "./outbox.ts";
import { isProgramEvent, type ProgramEvent, stepProgram } from "./program.ts";
import { beginRepair } from "./repair.ts";
import { flushRooms, hasUnanswered } from "./rooms.ts";
import { canSpeak, type SessionContext, type SessionCore } from "./sessionCore.ts";
import { isSettled } from "./stream.ts";
import { stepThrough } from "./through.ts";

export type SessionEvent =
  | ConnectionEvent
  | ProgramEvent
  | { readonly kind: "agentDescribed"; readonly now: number; readonly agent: HelloAgent }
  /** One element of a frame. */
  | { readonly kind: "message"; readonly now: number; readonly attempt: number; readonly value: unknown }
  | { readonly kind: "unreadableFrame"; readonly now: number }
  | { readonly kind: Exclude<TimerName, ConnectionTimer>; readonly now: number }
  | { readonly kind: "flush"; readonly now: number };

export function stepSession(core: SessionCore, event: SessionEvent, random: Random): readonly SessionEffect[] {
  const context: SessionContext = { now: event.now, random, out: [] };
  // A timer that fired is armed no more; one that fired a little early is armed again below (X13).
  core.timers.delete(event.kind as TimerName);
  dispatch(core, event, context);
  // Life is noted for every frame; it changes nothing that rooms or timers could follow.
  if (event.kind === "frameHeard") return context.out;
  if (!isProgramEvent(event)) {
    // What the program says in one go is said to the server in one go: its events are flushed a little later.
    flushRooms(core, context);
  } else if (canSpeak(core)) context.out.push({ kind: "flushSoon" });
  follow(core, context);
  rearm(core, context.out);
  return context.out;
}

function dispatch(core: SessionCore, event: SessionEvent, context: SessionContext): void {
  if (isProgramEvent(event)) {
    stepProgram(core, event, context);
    return;
  }
  switch (event.kind) {
    case "message":
      readServerMessage(core, event, context);
      return;
    case "unreadableFrame":
      core.unknownMessages += 1;
      return;
    case "agentDescribed":
      core.helloAgent = event.agent;
      return;
    case "repairDue":
      for (const stream of core.streams.values())
        if ((stream.repair.atMs ?? Number.POSITIVE_INFINITY) <= event.now) beginRepair(stream, event.now);
      return;
    case "outboxDue":
      outboxDue(core.outbox, context);
      return;
    case "producersDue":
      for (const producer of core.producers.values())
        if ((producer.retryAtMs ?? Number.POSITIVE_INFINITY) <= event.now) producer.retryAtMs = undefined;
      return;
    case "flush":
      return;
    default:
      stepThrough(core, event, context);
      return;
  }
}

/** What the rooms' new state means for the connection. */
function follow(core: SessionCore, context: SessionContext): void {
  const { state } = core.connection;
  const { now } = context;
  if (state.kind === "open") {
    const all = areSettled(core);
    if (all !== state.settled) stepThrough(core, { kind: "settled", all, now }, context);
    if (context.out.some((effect) => effect.kind === "send")) stepThrough(core, { kind: "frameSent", now }, context);
  } else if (state.kind === "closing" && state.phase === "flushing" && !hasUnanswered(core)) {
    stepThrough(core, { kind: "flushed", now }, context);
  }
}

function areSettled(core: SessionCore): boolean {
  for (const stream of core.streams.values()) if (!isSettled(stream)) return false;
  return true;
}

/** Arms and disarms what differs from what the state asks for. */
function rearm(core: SessionCore, out: SessionEffect[]): void {
  const due: Partial<Record<TimerName, number | undefined>> = connectionTimers(core.connection.state);
  due.outboxDue = outboxDueMs(core.outbox);
  if (canSpeak(core)) {
    for (const { repair } of core.streams.values()) due.repairDue = earlier(due.repairDue, repair.atMs);
    for (const { retryAtMs } of core.producers.values()) due.producersDue = earlier(due.producersDue, retryAtMs);
  }
  for (const timer of timerNames) {
    const atMs = due[timer];
    if (atMs === core.timers.get(timer)) continue;
    if (atMs === undefined) {
      core.timers.delete(timer);
      out.push({ kind: "disarm", timer });
    } else {
      core.timers.set(timer, atMs);
      out.push({ kind: "arm", timer, atMs });
    }
  }
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || (other !== undefined && other < one) ? other : one;
}
