/**
 * The whole core of a session: the connection, and the rooms that outlive connections.
 *
 * `stepSession` takes one event and returns what the shell is to do. It changes `core` in place (an outbox is
 * not copied for each event), and like every core here it knows no clock, no dice, no socket and no promise, nor
 * which thread it runs in. Invariants: rooms speak only while the connection is open (OP-1, OP-5), and are told
 * of every loss exactly once; each timer that is armed is a function of the state, so an idle or closed core has
 * none (F18).
 */
import type { Random } from "@holdfast/protocol";
import { type ConnectionEvent, connectionTimers } from "./connectionState.ts";
import type { SessionEffect, TimerName } from "./effects.ts";
import { readServerMessage } from "./inbound.ts";
import { statisticsApartMs } from "./limits.ts";
import { outboxDue, outboxDueMs } from "./outbox.ts";
import { beginRepair } from "./repair.ts";
import { flushRooms, isAnswered } from "./rooms.ts";
import { canSpeak, type SessionContext, type SessionCore } from "./sessionCore.ts";
import { isSettled } from "./stream.ts";
import { ping, stepThrough } from "./through.ts";

export type SessionEvent =
  | ConnectionEvent
  /** What the program says, as one of the functions of `program.ts` or of a room. */
  | { readonly kind: "said"; readonly now: number; readonly say: (context: SessionContext) => void }
  /** One element of a frame; undefined where the frame could not be read. */
  | { readonly kind: "message"; readonly now: number; readonly attempt: number; readonly value: unknown }
  | { readonly kind: "roomsDue" | "flush"; readonly now: number };

export function stepSession(core: SessionCore, event: SessionEvent, random: Random): readonly SessionEffect[] {
  const context: SessionContext = { now: event.now, random, out: [] };
  // A timer that fired is armed no more; one that fired a little early is armed again below (X13).
  core.timers.delete(event.kind as TimerName);
  dispatch(core, event, context);
  // Life is noted for every frame; it changes nothing that rooms or timers could follow.
  if (event.kind === "frameHeard") return context.out;
  // What the program says in one go is said to the server in one go: a little later.
  if (event.kind !== "said") flushRooms(core, context);
  else if (canSpeak(core)) context.out.push({ kind: "flushSoon" });
  follow(core, context);
  rearm(core, context.out);
  return context.out;
}

function dispatch(core: SessionCore, event: SessionEvent, context: SessionContext): void {
  switch (event.kind) {
    case "said":
      event.say(context);
      return;
    case "message":
      readServerMessage(core, event, context);
      return;
    case "roomsDue":
      for (const stream of core.streams.values())
        if (stream.repair.atMs !== undefined && stream.repair.atMs <= event.now) beginRepair(stream, event.now);
      outboxDue(core.outbox, context);
      core.room?.due(event.now);
      return;
    case "flush":
      return;
    default:
      stepThrough(core, event, context);
  }
}

/** What the rooms' new state means for the connection. */
function follow(core: SessionCore, context: SessionContext): void {
  const { state } = core.connection;
  const { now } = context;
  if (state.kind === "open") {
    const all = [...core.streams.values()].every(isSettled);
    if (all !== state.settled) stepThrough(core, { kind: "settled", all, now }, context);
    // A busy connection needs no ping; the figures are told all the same (ST-16).
    if (now - core.reportedMs >= statisticsApartMs) ping(core, state.heartbeat.n, context);
    if (context.out.some((effect) => effect.kind === "send")) stepThrough(core, { kind: "frameSent", now }, context);
  } else if (state.kind === "closing" && state.phase === "flushing" && isAnswered(core)) {
    stepThrough(core, { kind: "flushed", now }, context);
  }
}

/** Arms and disarms what differs from what the state asks for. */
function rearm(core: SessionCore, out: SessionEffect[]): void {
  const due: { [Timer in TimerName]?: number | undefined } = {
    ...connectionTimers(core.connection.state),
    roomsDue: roomsDueMs(core),
  };
  for (const timer of core.timers.keys()) {
    if (due[timer] !== undefined) continue;
    core.timers.delete(timer);
    out.push({ kind: "disarm", timer });
  }
  for (const [timer, atMs] of Object.entries(due) as [TimerName, number | undefined][]) {
    if (atMs === undefined || atMs === core.timers.get(timer)) continue;
    core.timers.set(timer, atMs);
    out.push({ kind: "arm", timer, atMs });
  }
}

function roomsDueMs(core: SessionCore): number | undefined {
  let due = outboxDueMs(core.outbox);
  if (canSpeak(core)) {
    for (const { repair } of core.streams.values()) due = Math.min(due, repair.atMs ?? due);
    due = Math.min(due, core.room?.dueMs ?? due);
  }
  return due === Number.POSITIVE_INFINITY ? undefined : due;
}
