/**
 * Rules of the end: what a close code means (CL-1, CL-2), how long to wait, and our own `close()` (CL-8).
 *
 * A `bye` says why before the socket says that; where the close frame was lost, the `bye` still counts.
 */
import {
  fencedClose,
  forbiddenClose,
  limits,
  lostClose,
  noStatusClose,
  readRetryAfter,
  reconnectAdvice,
} from "@holdfast/protocol";
import { askToken, refuse } from "./attempt.ts";
import { delayAfterLoss, slowDelay } from "./backoff.ts";
import type { Connection, ConnectionState, EventOf, OpenState, StateOf, StepContext } from "./connectionState.ts";
import { send } from "./effects.ts";
import { endingTimeoutMs, heartbeatProvenMs } from "./limits.ts";
import { drop, stop, wait } from "./step.ts";

type Owning = StateOf<"connecting" | "greeting" | "open">;
/** Why a socket was given up that answered no ping (LV-1). */
export const silence = "no pong";
interface End {
  readonly code: number;
  readonly reason: string;
}

export function rememberBye(
  _: Connection,
  state: StateOf<"greeting"> | OpenState,
  __: StepContext,
  { message }: EventOf<"bye">,
): void {
  state.bye = message;
}

/** The owned socket is gone, or given up. One total policy, whichever way it went (F17). */
export function lose(connection: Connection, state: Owning, context: StepContext, end: End): void {
  const { now } = context;
  const bye = state.kind === "connecting" ? undefined : state.bye;
  // Browsers tell 1006 where the close frame was lost; the bye told the code before.
  const code = bye !== undefined && (end.code === noStatusClose || end.code === lostClose) ? bye.code : end.code;
  const reason = bye?.reason || end.reason || `closed ${code}`;
  const uptime = state.kind === "open" ? Math.round(now - state.welcomedMs) : 0;
  const retryAfter = readRetryAfter(bye?.retryAfter);
  connection.lastClose = { code, reason: reason.slice(0, 500), uptime };
  connection.slot = bye?.slot ?? connection.slot;
  if (retryAfter !== undefined) connection.floorMs = Math.max(connection.floorMs, now + retryAfter);
  if (uptime >= heartbeatProvenMs && end.reason !== silence) connection.silences = 0;
  drop(state, context);
  decide(connection, { code, reason }, retryAfter, context);
  if (state.kind === "connecting") noteUnopened(connection, context);
}

/** CL-10: no close code tells why a socket did not open; at the third in a row HTTP is asked, once. */
function noteUnopened(connection: Connection, context: StepContext): void {
  const { state } = connection;
  connection.unopened += 1;
  if (state.kind !== "waiting") return;
  state.reason = connection.unopenedWhy ?? state.reason;
  if (connection.unopened === limits.failedUpgradesBeforeAsking) askToken(connection, context, "unopened");
}

function decide(connection: Connection, end: End, retryAfter: number | undefined, context: StepContext): void {
  const { code, reason } = end;
  switch (reconnectAdvice(code)) {
    case "retryThenStop":
      connection.faults += 1;
      if (connection.faults < limits.protocolFaultsBeforeStop) break;
      stop(connection, "protocol_fault");
      return;
    case "refresh":
      refreshThenRetry(connection, reason, context);
      return;
    case "dropIdentity":
      // OP-5: back at once without `expect`; a server that says it again gets the ordinary backoff.
      if (connection.expect === undefined) break;
      connection.expect = undefined;
      context.out.push({ kind: "identityChanged" });
      retryAtOnce(connection, reason, context);
      return;
    case "stop":
      // Words that a program may look for, whatever the server said.
      stop(connection, code === forbiddenClose ? "forbidden" : code === fencedClose ? "fenced" : reason);
      return;
    case "retry":
      break;
  }
  retry(connection, reason, retryAfter, context);
}

function retry(
  connection: Connection,
  reason: string,
  retryAfter: number | undefined,
  { now, random }: StepContext,
): void {
  const { failures, spreadMs, floorMs } = connection;
  const delayMs = delayAfterLoss({ failures, retryAfter, spreadMs }, random);
  const probeMs = connection.online ? 0 : slowDelay(random);
  connection.failures += 1;
  wait(connection, Math.max(now + Math.max(delayMs, probeMs), floorMs), reason);
}

/** A token that carried a stable connection may simply have ended: that is no refusal of a fresh one. */
function refreshThenRetry(connection: Connection, reason: string, context: StepContext): void {
  connection.rejectedToken = connection.token;
  if (!connection.usesToken || connection.tokenFresh) {
    connection.failures += 1;
    refuse(connection, context);
    return;
  }
  connection.token = undefined;
  retryAtOnce(connection, reason, context);
}

function retryAtOnce(connection: Connection, reason: string, { now }: StepContext): void {
  connection.failures += 1;
  wait(connection, Math.max(now, connection.floorMs), reason);
}

/** Nothing is under way: nothing to wait for. */
export function closeAtOnce(connection: Connection, state: ConnectionState, context: StepContext): void {
  drop(state, context);
  connection.state = { kind: "closed" };
}

/** CL-8: what was asked gets up to 1 s for its answer. */
export function closeGracefully(connection: Connection, { attempt }: OpenState, { now }: StepContext): void {
  connection.state = { kind: "closing", attempt, phase: "flushing", deadlineMs: now + limits.closeFlushMs };
}

export function endSocket(connection: Connection, state: StateOf<"closing">, context: StepContext): void {
  // The flush is over; only the other side's close frame is missing, and it had its time.
  if (state.phase === "ending") {
    closeAtOnce(connection, state, context);
    return;
  }
  state.phase = "ending";
  state.deadlineMs = context.now + endingTimeoutMs;
  send(context, { type: "leave" });
  context.out.push({ kind: "endSocket" });
}
