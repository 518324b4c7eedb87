/**
 * The whole core of a session: the connection, and the rooms that outlive connections.
 *
 * `stepSession` takes one event and returns what the shell is to do; `sessionDueMs` says when to come back. It
 * changes `core` in place (an outbox is not copied for each event), and like every core here it knows no clock, no
 * dice, no socket and no promise, nor which thread it runs in. Invariants: rooms speak only while the connection is
 * open (OP-1, OP-5), and are told of every loss exactly once; when to come back is a function of the state, so an
 * idle or closed core has no timer (F18).
 */
import { limits, type Random } from "@holdfast/protocol";
import { type ConnectionEvent, connectionDueMs } from "./connectionState.ts";
import type { SessionEffect } from "./effects.ts";
import { readServerMessage } from "./inbound.ts";
import { statisticsApartMs } from "./limits.ts";
import { stabilise } from "./living.ts";
import { outboxDue, outboxDueMs } from "./outbox.ts";
import { beginRepair } from "./repair.ts";
import { flushRooms, isAnswered } from "./rooms.ts";
import { canSpeak, type SessionContext, type SessionCore } from "./sessionCore.ts";
import { isSettled } from "./streamReading.ts";
import { ping, stepThrough } from "./through.ts";

export type SessionEvent =
  | (Exclude<ConnectionEvent, { kind: "due" }> & { readonly now: number })
  /** What the program says, as one of the functions of `program.ts` or of a room. Sent with the next `flush`. */
  | { readonly kind: "said"; readonly now: number; readonly say: (context: SessionContext) => void }
  /** One element of a frame; undefined where the frame could not be read. */
  | { readonly kind: "message"; readonly now: number; readonly attempt: number; readonly value: unknown }
  | { readonly kind: "due" | "flush"; readonly now: number };

export function stepSession(core: SessionCore, event: SessionEvent, random: Random): readonly SessionEffect[] {
  const { now } = event;
  const context: SessionContext = { now, random, out: [], counts: core.counts };
  const { state } = core.connection;
  // Before it changes anything: what has held for 10 s by now counts (CL-3).
  if (state.kind === "open" && !state.stable && now - state.welcomedMs >= limits.stableAfterMs && isAllSettled(core))
    stabilise(core.connection, state);
  dispatch(core, event, context);
  // Life is noted for every frame; it changes nothing that rooms could follow.
  if (event.kind === "frameHeard") return context.out;
  if (event.kind !== "said") flushRooms(core, context);
  follow(core, context);
  return context.out;
}

/** When to say `due`, monotonic ms; infinity where nothing waits. */
export function sessionDueMs(core: SessionCore): number {
  let due = Math.min(connectionDueMs(core.connection.state), outboxDueMs(core.outbox));
  if (!canSpeak(core)) return due;
  for (const { repair } of core.streams.values()) due = Math.min(due, repair.atMs ?? due);
  return Math.min(due, core.room?.dueMs ?? due);
}

function dispatch(core: SessionCore, event: SessionEvent, context: SessionContext): void {
  switch (event.kind) {
    case "said":
      event.say(context);
      return;
    case "message":
      readServerMessage(core, event, context);
      return;
    case "due":
      look(core, context);
      return;
    case "flush":
      return;
    default:
      stepThrough(core, event, context);
  }
}

/** Whatever is due by now. A timer that fired a little early finds nothing, and is set again (X13). */
function look(core: SessionCore, context: SessionContext): void {
  const { now } = context;
  if (connectionDueMs(core.connection.state) <= now) stepThrough(core, { kind: "due" }, context);
  for (const stream of core.streams.values()) if ((stream.repair.atMs ?? now + 1) <= now) beginRepair(stream, now);
  outboxDue(core.outbox, context);
  core.room?.due(now);
}

/** What the rooms' new state means for the connection. */
function follow(core: SessionCore, context: SessionContext): void {
  const { state } = core.connection;
  const { now } = context;
  if (state.kind === "open") {
    // A busy connection needs no ping; the figures are told all the same (ST-16).
    if (now - core.reportedMs >= statisticsApartMs) ping(core, state.n, context);
    if (context.out.some((effect) => effect.kind === "send")) state.sentMs = now;
  } else if (state.kind === "closing" && state.phase === "flushing" && isAnswered(core)) {
    stepThrough(core, { kind: "due" }, context);
  }
}

function isAllSettled(core: SessionCore): boolean {
  return [...core.streams.values()].every(isSettled);
}
