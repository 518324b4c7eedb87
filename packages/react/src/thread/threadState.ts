/**
 * One thread's commands, messages and terminal as a page knows them: a pure fold of the stream `thread/<id>`.
 *
 * The log is the record: a command's state is what its events said, in their order, and nothing later
 * moves it back. Bytes of the terminal are not kept here; they go to a screen.
 */
import type { SnapshotCommand, ThreadEventData } from "./threadEvents.ts";

/** Commands shown of one thread; older finished ones are only on the terminal. */
export const commandsKeptMax = 200;
/** Messages of which the text is kept; older ones are read again by the page (`thread.read`). */
export const messagesKeptMax = 400;

/** The size that a terminal has before anyone says otherwise (`thread.create`'s default). */
export const defaultSize = { cols: 80, rows: 24 } as const;

/** As a snapshot has it; what waits in the queue was accepted, in a person's words. */
export interface ThreadCommand extends Omit<SnapshotCommand, "state"> {
  readonly state: "accepted" | "dispatched" | "started" | "finished";
}

/** What was said because of a command; several of one command are legal. */
export interface ThreadMessage {
  readonly id: string;
  readonly command: string;
  readonly state: "started" | "finished";
  /** Of an unfinished one the text so far. */
  readonly text: string;
}

export interface ThreadState {
  /** In the order in which they were accepted. */
  readonly commands: readonly ThreadCommand[];
  /** In the order in which they were started. */
  readonly messages: readonly ThreadMessage[];
  /** The agent that the thread belongs to, once a command has told it. */
  readonly agent: string | undefined;
  readonly size: { readonly cols: number; readonly rows: number };
  /** The newest word of the server or the agent about the thread itself. */
  readonly note: string | null;
  /** The interactive program ended. */
  readonly closed: { readonly exitCode: number | null; readonly reason: string | null } | null;
}

export const emptyThread: ThreadState = {
  commands: [],
  messages: [],
  agent: undefined,
  size: defaultSize,
  note: null,
  closed: null,
};

/** `at`: the event's time on the server's clock, ms. Returns the same object where nothing changed. */
export function foldThread(
  state: ThreadState,
  event: { readonly event: string; readonly at: number; readonly data: unknown },
): ThreadState {
  switch (event.event) {
    case "command.queued":
      return queued(state, event.data as ThreadEventData["command.queued"]);
    case "command.dispatched":
      return change(state, event.data, () => ({ state: "dispatched" }));
    case "command.started":
      return change(state, event.data, () => ({ state: "started", startedAt: event.at }));
    case "command.progress":
      return change(state, event.data, () => ({ progress: (event.data as ThreadEventData["command.progress"]).text }));
    case "command.finished":
      return change(state, event.data, () => finished(event.data as ThreadEventData["command.finished"], event.at));
    case "message.started":
      return messageStarted(state, event.data as ThreadEventData["message.started"]);
    case "text.delta": {
      const { message, text } = event.data as ThreadEventData["text.delta"];
      return changeMessage(state, message, (before) => ({ text: before.text + text }));
    }
    case "message.finished": {
      const { message, text } = event.data as ThreadEventData["message.finished"];
      return changeMessage(messageStarted(state, event.data as ThreadEventData["message.finished"]), message, () => ({
        state: "finished",
        text,
      }));
    }
    case "terminal.resized":
    case "terminal.screen": {
      const { cols, rows } = event.data as ThreadEventData["terminal.resized"];
      return cols === state.size.cols && rows === state.size.rows ? state : { ...state, size: { cols, rows } };
    }
    case "terminal.closed": {
      const { exitCode, reason } = event.data as ThreadEventData["terminal.closed"];
      return { ...state, closed: { exitCode: exitCode ?? null, reason: reason ?? null } };
    }
    case "note":
      return { ...state, note: (event.data as ThreadEventData["note"]).text };
    case "terminal.output":
      return state.closed === null ? state : { ...state, closed: null };
    default:
      return state;
  }
}

function queued(state: ThreadState, data: ThreadEventData["command.queued"]): ThreadState {
  if (state.commands.some((command) => command.id === data.command)) return state;
  const command = { ...fresh(data.command, data.text, data.sentBy), queuedAt: data.value.queuedAt };
  return { ...state, agent: data.value.agent, commands: bounded([...state.commands, command]) };
}

function fresh(id: string, text: string, sentBy: string): ThreadCommand {
  return {
    id,
    text,
    sentBy,
    state: "accepted",
    outcome: null,
    reason: null,
    exitCode: null,
    inferred: false,
    durationMs: null,
    queuedAt: 0,
    startedAt: null,
    finishedAt: null,
    progress: null,
  };
}

function finished(data: ThreadEventData["command.finished"], at: number): Partial<ThreadCommand> {
  return {
    state: "finished",
    outcome: data.outcome,
    reason: data.reason ?? null,
    exitCode: data.exitCode ?? null,
    inferred: data.inferred ?? false,
    durationMs: data.durationMs,
    finishedAt: at,
    progress: null,
  };
}

/** A whole message may stand for its beginning, which retention has removed (ST-10). */
function messageStarted(state: ThreadState, data: ThreadEventData["message.started"]): ThreadState {
  if (state.messages.some(({ id }) => id === data.message)) return state;
  const message: ThreadMessage = { id: data.message, command: data.command, state: "started", text: "" };
  return { ...state, messages: [...state.messages, message].slice(-messagesKeptMax) };
}

function changeMessage(
  state: ThreadState,
  id: string,
  next: (before: ThreadMessage) => Partial<ThreadMessage>,
): ThreadState {
  const index = state.messages.findLastIndex((message) => message.id === id);
  const message = state.messages[index];
  if (message === undefined || message.state === "finished") return state;
  return { ...state, messages: state.messages.with(index, { ...message, ...next(message) }) };
}

/** A finished command stays as it is: nothing after its end names it (CONTROL.md grammar). */
function change(state: ThreadState, data: unknown, next: () => Partial<ThreadCommand>): ThreadState {
  const id = (data as { readonly command: string }).command;
  const index = state.commands.findLastIndex((command) => command.id === id);
  const command = state.commands[index];
  if (command === undefined || command.state === "finished") return state;
  return { ...state, commands: state.commands.with(index, { ...command, ...next() }) };
}

/** Drops the oldest finished ones above the limit; one that still runs is never dropped. */
function bounded(commands: readonly ThreadCommand[]): readonly ThreadCommand[] {
  if (commands.length <= commandsKeptMax) return commands;
  const oldest = commands.findIndex((command) => command.state === "finished");
  return oldest === -1 ? commands : commands.filter((_, index) => index !== oldest);
}
