/** A thread's state as its snapshot tells it, in the shape in which the fold of its events keeps it. Pure. */
import type { SnapshotCommand, ThreadSnapshot } from "./threadEvents.ts";
import { defaultSize, emptyThread, type ThreadCommand, type ThreadState } from "./threadState.ts";

export function threadFromSnapshot({ thread, note, commands, messages, terminals }: ThreadSnapshot): ThreadState {
  const { cols, rows } = terminals[0] ?? defaultSize;
  const size = { cols, rows };
  return { ...emptyThread, commands: commands.map(fromSnapshot), messages, agent: thread.agent, size, note };
}

export function fromSnapshot(command: SnapshotCommand): ThreadCommand {
  const { id, text, sentBy, state, outcome, reason, exitCode, inferred, durationMs, queuedAt, startedAt, finishedAt } =
    command;
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
    finishedAt,
    progress: command.progress,
  };
}
