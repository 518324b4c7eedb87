/**
 * Requests that follow each other (RQ-4): those of one lane take effect in order, or not at all.
 *
 * Each names the nearest earlier unsettled one of its lane. It goes out once that one is under way, and ends with it
 * where that one ends without a result: a refusal of `cd build` must not let `rm -rf *` overtake it. Pure functions
 * over the outbox.
 */
import { ProtocolError } from "@holdfast/protocol";
import { type Entry, type Outbox, type OutboxContext, retryNow, settle, unfinished } from "../core/outbox.ts";

/** Behind whom `entry` goes: one that left in between leaves those before it. */
export function join(outbox: Outbox, entry: Entry, lanes: ReadonlyMap<Entry, string>, lane: string): void {
  for (const other of outbox.entries.values()) if (other !== entry && lanes.get(other) === lane) entry.after = other;
}

/** One whose predecessor waits for a retry would only be refused. */
export function mayGo({ after }: Entry): boolean {
  return after === undefined || after.phase === "sent";
}

/** `entry` has its outcome: what of those behind it. */
export function passOn(outbox: Outbox, entry: Entry, error: ProtocolError | undefined, context: OutboxContext): void {
  for (const follower of outbox.entries.values()) {
    if (follower.after !== entry) continue;
    follower.after = undefined;
    if (error !== undefined) failBehind(outbox, follower, entry, error, context);
    else if (follower.phase === "retrying") retryNow(follower);
  }
}

function failBehind(outbox: Outbox, follower: Entry, entry: Entry, error: ProtocolError, context: OutboxContext): void {
  const { method } = follower.asked;
  const details = { reason: "after_failed" };
  const failed = new ProtocolError("conflict", `${method}: the request before it had no result`, { details });
  if (error.code === "timeout" && follower.named !== undefined)
    settle(outbox, follower, unfinished(follower, `${entry.asked.method} before it had no answer`), context);
  // Under way, the server refuses it by itself; its answer is awaited, but not its retry.
  else if (follower.phase === "sent") follower.orphaned = failed;
  else settle(outbox, follower, failed, context);
}
