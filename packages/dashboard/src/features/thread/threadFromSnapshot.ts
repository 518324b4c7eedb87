/** A thread's state as its snapshot tells it, in the shape in which the fold of its events keeps it. Pure. */
import type { ThreadSnapshot, ThreadSnapshotCommand } from "@holdfast/control/contract";
import { defaultSize, emptyThread, type ThreadCommand, type ThreadState } from "./threadState.ts";

export function threadFromSnapshot({ thread, note, commands, messages, terminals }: ThreadSnapshot): ThreadState {
  const { cols, rows } = terminals[0] ?? defaultSize;
  const size = { cols, rows };
  return { ...emptyThread, commands: commands.map(fromSnapshot), messages, agent: thread.agent, size, note };
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
