/** Rules from the open socket to `welcome` (section 4). */
import { limits, lostClose } from "@holdfast/protocol";
import type { Connection, EventOf, StateOf, StepContext } from "./connectionState.ts";
import { lose } from "./ending.ts";
import { heartbeatMsMin } from "./limits.ts";

/** OP-1: the first message is `hello`, and until `welcome` the only one. */
export function greet(
  connection: Connection,
  { attempt, deadlineMs }: StateOf<"connecting">,
  { out }: StepContext,
): void {
  connection.unopened = 0;
  connection.unopenedWhy = undefined;
  connection.state = { kind: "greeting", attempt, deadlineMs };
  out.push({ kind: "greet" });
}

export function welcome(
  connection: Connection,
  { attempt, bye }: StateOf<"greeting">,
  { now }: StepContext,
  { message }: EventOf<"welcome">,
): void {
  const { user, heartbeat } = message;
  const intervalMs = Math.max(heartbeatMsMin, heartbeat.interval);
  const timeoutMs = Math.max(heartbeatMsMin, heartbeat.timeout) * 2 ** connection.silences;
  connection.slot = undefined;
  connection.spreadMs = message.spread;
  connection.floorMs = Number.NEGATIVE_INFINITY;
  connection.rejectedToken = undefined;
  // An agent that the store has not named yet has no identity to expect (OP-7).
  if (user.role !== "agent" || message.agent !== undefined)
    connection.expect = { user: user.id, workspace: user.workspace };
  connection.serverOffsetMs = message.now - now;
  connection.isClockKnown = true;
  connection.state = {
    kind: "open",
    attempt,
    welcome: message,
    welcomedMs: now,
    intervalMs,
    timeoutMs: Math.min(limits.heartbeatTimeoutMsMax, timeoutMs),
    heardMs: now,
    sentMs: now,
    n: 0,
    awaiting: undefined,
    deadlineMs: now + intervalMs,
    stable: false,
    bye,
  };
}

/** No verdict in time. Found late, after sleep, the answer may be queued already (LV-3): a little more. */
export function abandonOpening(
  connection: Connection,
  state: StateOf<"connecting" | "greeting">,
  context: StepContext,
): void {
  const { now } = context;
  // Once: a hidden page's timers are late every time, and it would open for ever.
  if (state.isGraced === undefined && now - state.deadlineMs > limits.lateTimerMs) {
    state.isGraced = true;
    state.deadlineMs = now + limits.lateTimerGraceMs;
  } else lose(connection, state, context, { code: lostClose, reason: "no answer" });
}
