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
  return { memory, state, effects: [] };
}

/** What the platform knows is kept for later; nothing is done for it now. */
export function rememberHint(memory: ConnectionMemory, state: ConnectionState, event: EventOf<"hinted">): Step {
  return step(withHint(memory, event), state);
}

export function withHint(memory: ConnectionMemory, event: EventOf<"hinted">): ConnectionMemory {
  switch (event.hint) {
    case "online":
      return { ...memory, online: true };
    case "offline":
      return { ...memory, online: false };
    case "visible":
      return { ...memory, visible: true };
    case "hidden":
      return { ...memory, visible: false };
    case "woke":
      return memory;
  }
}

export function wait(
  memory: ConnectionMemory,
  untilMs: number,
  reason: string,
  ...effects: readonly ConnectionEffect[]
): Step {
  return step(memory, { kind: "waiting", untilMs, reason }, ...effects);
}

export function stop(memory: ConnectionMemory, reason: string, ...effects: readonly ConnectionEffect[]): Step {
  return step(memory, { kind: "stopped", reason }, ...effects);
}

/** The earliest moment of the next attempt: starts are ≥ 1 s apart (CL-3), the server's floor holds (CL-4). */
export function earliestMs(memory: ConnectionMemory, event: ConnectionEvent): number {
  const apartMs = memory.startedMs === undefined ? event.now : memory.startedMs + limits.attemptsStartApartMs;
  return Math.max(event.now, apartMs, memory.floorMs);
}
