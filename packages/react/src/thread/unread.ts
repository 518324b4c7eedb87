/**
 * What of a thread somebody has not seen: the messages with news after their mark.
 *
 * Pure. A mark is a time of the server's clock; what one sent oneself is no news, its answer is.
 */
import type { AppliedEvent } from "@holdfast/client";
import type { ThreadCommand } from "./threadState.ts";

/** Thread → up to when it was read, ms of the server's clock. */
export type Marks = ReadonlyMap<string, number>;

export const noMarks: Marks = new Map();

export function marksFromSnapshot(data: Readonly<Record<string, unknown>>): Marks {
  const { reads } = data as { readonly reads: readonly { readonly thread: string; readonly readAt: number }[] };
  return new Map(reads.map(({ thread, readAt }) => [thread, readAt]));
}

export function foldMarks(marks: Marks, { event, data }: Pick<AppliedEvent, "event" | "data">): Marks {
  if (event !== "thread.marked") return marks;
  const { thread, readAt } = data as { readonly thread: string; readonly readAt: number };
  return new Map(marks).set(thread, readAt);
}

/** How many messages have news after `readAt`. */
export function unreadCount(commands: readonly ThreadCommand[], user: string | undefined, readAt: number): number {
  return commands.filter((command) => newsAt(command, user) > readAt).length;
}

/** When the newest of all was said, ms of the server's clock: what is shown is read up to there. */
export function newestAt(commands: readonly ThreadCommand[]): number {
  return Math.max(0, ...commands.map((command) => newsAt(command, undefined)));
}

function newsAt({ sentBy, queuedAt, startedAt, finishedAt }: ThreadCommand, user: string | undefined): number {
  return finishedAt ?? startedAt ?? (sentBy === user ? 0 : queuedAt);
}
