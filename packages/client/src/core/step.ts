/** What several rules of the table share: how a step is made, and the rules that decide nothing. */
import { limits } from "@holdfast/protocol";
import type {
  ConnectionEffect,
  ConnectionEvent,
  ConnectionMemory,
  ConnectionState,
  EventOf,
  Step,
} from "./connectionState.ts";

export function step(memory: ConnectionMemory, state: ConnectionState, ...effects: readonly ConnectionEffect[]): Step {
  return { memory, state, effects };
}

/** The event means nothing here. */
export function ignore(memory: ConnectionMemory, state: ConnectionState): Step {
  return step(memory, state);
}

/** What the platform knows is kept for later; nothing is done for it now. */
export function rememberHint(memory: ConnectionMemory, state: ConnectionState, event: EventOf<"hinted">): Step {
  return step(withHint(memory, event), state);
}

export function withHint(memory: ConnectionMemory, { hint }: EventOf<"hinted">): ConnectionMemory {
  if (hint === "online" || hint === "offline") return { ...memory, online: hint === "online" };
  return hint === "woke" ? memory : { ...memory, visible: hint === "visible" };
}

/** Closes the socket of this state, if it has one, and never hears it again. */
export function drop(state: ConnectionState): ConnectionEffect[] {
  return "attempt" in state ? [{ kind: "dropSocket", attempt: state.attempt }] : [];
}

export function wait(
  memory: ConnectionMemory,
  deadlineMs: number,
  reason: string,
  ...effects: readonly ConnectionEffect[]
): Step {
  return step(memory, { kind: "waiting", deadlineMs, reason }, ...effects);
}

export function stop(memory: ConnectionMemory, reason: string, ...effects: readonly ConnectionEffect[]): Step {
  return step(memory, { kind: "stopped", reason }, ...effects);
}

/** The earliest moment of the next attempt: starts are ≥ 1 s apart (CL-3), the server's floor holds (CL-4). */
export function earliestMs(memory: ConnectionMemory, event: ConnectionEvent): number {
  const apartMs = memory.startedMs === undefined ? event.now : memory.startedMs + limits.attemptsStartApartMs;
  return Math.max(event.now, apartMs, memory.floorMs);
}
