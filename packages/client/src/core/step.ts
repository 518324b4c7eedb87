/** What several rules of the table share: how a state is left, and the rules that decide little. */
import { limits } from "@holdfast/protocol";
import type { Connection, ConnectionState, EventOf, StepContext } from "./connectionState.ts";

/** The event means nothing here. */
export function ignore(): void {}

/** What the platform knows is kept for later; nothing is done for it now. */
export function rememberHint(
  connection: Connection,
  _: ConnectionState,
  __: StepContext,
  { hint }: EventOf<"hinted">,
): void {
  if (hint === "online" || hint === "offline") connection.online = hint === "online";
  else if (hint !== "woke") connection.visible = hint === "visible";
}

/** Closes the socket of this state, if it has one, and never hears it again. */
export function drop(state: ConnectionState, { out }: StepContext): void {
  if (state.attempt !== undefined) out.push({ kind: "dropSocket" });
}

export function wait(connection: Connection, deadlineMs: number, reason: string): void {
  connection.state = { kind: "waiting", deadlineMs, reason };
}

export function stop(connection: Connection, reason: string): void {
  connection.state = { kind: "stopped", reason };
}

/** The earliest moment of the next attempt: starts are ≥ 1 s apart (CL-3), the server's floor holds (CL-4). */
export function earliestMs({ startedMs, floorMs }: Connection, now: number): number {
  return Math.max(now, startedMs + limits.attemptsStartApartMs, floorMs);
}
