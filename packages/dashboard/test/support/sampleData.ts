/** Agents, threads and a thread's events as the contract has them, for tests and for the look of the page. */
import type { Agent, Command, Thread } from "@holdfast/control/contract";

export function makeAgent(change: Partial<Agent> = {}): Agent {
  return {
    id: "agent-1",
    name: "shell",
    kind: "shell",
    host: "laptop",
    capabilities: [],
    status: "online",
    activity: "idle",
    command: null,
    commandText: null,
    queued: 0,
    generation: 1,
    createdAt: 1_000,
    statusAt: 1_000,
    ...change,
  };
}

export function makeThread(change: Partial<Thread> = {}): Thread {
  return {
    id: "thread-1",
    agent: "agent-1",
    kind: "work",
    title: "npm test",
    createdAt: 1_000,
    createdBy: "user-1",
    activeAt: 1_000,
    ...change,
  };
}

export function makeCommand(change: Partial<Command> = {}): Command {
  return {
    id: "command-1",
    thread: "thread-1",
    agent: "agent-1",
    text: "npm test",
    state: "queued",
    priority: "normal",
    outcome: null,
    reason: null,
    exitCode: null,
    sentBy: "user-1",
    queuedAt: 1_000,
    dispatchedAt: null,
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    expiresAt: null,
    ...change,
  };
}

/** One event of a thread, at offset 1 unless told. */
export function makeEvent(
  event: string,
  data: unknown,
  offset = 1,
): { event: string; data: unknown; at: number; offset: number; through: number } {
  return { event, data, at: 2_000, offset, through: offset };
}

export const queuedEvent = (command: Command) => ({
  event: "command.queued",
  data: { command: command.id, text: command.text, position: 0, sentBy: command.sentBy, value: command },
});

export const base64 = (text: string): string => {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
};

export const outputEvent = (text: string, command = "command-1", terminal = "thread-1") => ({
  event: "terminal.output",
  data: { command, terminal, data: base64(text) },
});
