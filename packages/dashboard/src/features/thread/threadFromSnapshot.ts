/** A thread's state as its snapshot tells it, in the shape in which the fold of its events keeps it. Pure. */
import type { ThreadSnapshot, ThreadSnapshotCommand } from "@holdfast/control/contract";
import { defaultSize, emptyThread, type ThreadCommand, type ThreadState } from "./threadState.ts";

export function threadFromSnapshot({ thread, note, commands, terminals }: ThreadSnapshot): ThreadState {
  const { cols, rows } = terminals[0] ?? defaultSize;
  return { ...emptyThread, commands: commands.map(fromSnapshot), agent: thread.agent, size: { cols, rows }, note };
}

function fromSnapshot(command: ThreadSnapshotCommand): ThreadCommand {
  const { id, text, sentBy, state, outcome, reason, exitCode, inferred, durationMs, queuedAt, startedAt } = command;
  return {
    id,
    text,
    sentBy,
    state: state === "queued" ? "accepted" : state,
    outcome,
    reason,
    exitCode,
    inferred,
    durationMs,
    queuedAt,
    startedAt,
    progress: command.progress,
  };
}
