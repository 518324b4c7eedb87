/** Rules from the open socket to `welcome` (section 4). */
import { limits, type Random } from "@holdfast/protocol";
import type { ConnectionMemory, EventOf, StateOf, Step } from "./connectionState.ts";
import { lose } from "./ending.ts";
import { heartbeatDueMs, makeHeartbeat } from "./heartbeat.ts";
import { heartbeatMsMin } from "./limits.ts";
import { step } from "./step.ts";

/** OP-1: the first message is `hello`, and until `welcome` the only one. */
export function greet(memory: ConnectionMemory, state: StateOf<"connecting">): Step {
  return step(
    { ...memory, unopened: 0, unopenedWhy: undefined },
    { kind: "greeting", attempt: state.attempt, deadlineMs: state.deadlineMs, bye: undefined },
    { kind: "greet" },
  );
}

export function welcome(memory: ConnectionMemory, state: StateOf<"greeting">, event: EventOf<"welcome">): Step {
  const { message, now } = event;
  const timeoutMs = Math.min(
    limits.heartbeatTimeoutMsMax,
    Math.max(heartbeatMsMin, message.heartbeat.timeout) * 2 ** memory.silences,
  );
  const heartbeat = makeHeartbeat(now, Math.max(heartbeatMsMin, message.heartbeat.interval), timeoutMs);
  return step(
    {
      ...memory,
      slot: undefined,
      spreadMs: message.spread,
      floorMs: Number.NEGATIVE_INFINITY,
      rejectedToken: undefined,
      // An agent that the store has not named yet has no identity to expect (OP-7).
      expect:
        message.user.role === "agent" && message.agent === undefined
          ? memory.expect
          : { user: message.user.id, workspace: message.user.workspace },
      serverOffsetMs: message.now - now,
      isClockKnown: true,
    },
    {
      kind: "open",
      attempt: state.attempt,
      welcome: message,
      welcomedMs: now,
      heartbeat,
      deadlineMs: heartbeatDueMs(heartbeat),
      stable: false,
      bye: state.bye,
      refresh: undefined,
    },
  );
}

/** No verdict in time. Found late, after sleep, the answer may be queued already (LV-3): a little more. */
export function abandonOpening(
  memory: ConnectionMemory,
  state: StateOf<"connecting" | "greeting">,
  event: EventOf<"due">,
  random: Random,
): Step {
  // Once: a hidden page's timers are late every time, and it would open for ever.
  if (state.isGraced === undefined && event.now - state.deadlineMs > limits.lateTimerMs)
    return step(memory, { ...state, isGraced: true, deadlineMs: event.now + limits.lateTimerGraceMs });
  return lose(memory, state, { now: event.now, code: 1006, reason: "no answer" }, random);
}
