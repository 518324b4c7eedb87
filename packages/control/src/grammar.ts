/**
 * The grammar of a thread: which event may follow what (CONTROL.md "Streams", F44).
 *
 * A pure core over what the rows say of the commands and messages that a publish names. Each accepted event
 * moves that state, so a later event of the same publish is judged by it. Invariants: every start has one
 * end; a command's events lie between its `command.started` and its `command.finished`; a message's between
 * its start and its end, and a command's end ends what it left open; a closed terminal shows nothing more.
 * A refused event moves nothing: poison never blocks (PB-2).
 */
import { ProtocolError, unreachable } from "@holdfast/protocol";
import type { AgentEventData, AgentEventName, CommandState, ThreadKind } from "../contract/index.ts";
import { messageScope, terminalOf, terminalScope } from "../contract/names.ts";
import { type CommandStep, nextState } from "./commandStates.ts";
import type { MessageState, TerminalState } from "./tables.ts";

export type AgentEvent = {
  [Name in AgentEventName]: { readonly event: Name; readonly data: AgentEventData[Name] };
}[AgentEventName];

/** What the thread's rows say, and what the accepted events make of it. */
export interface ThreadState {
  readonly thread: string;
  readonly kind: ThreadKind;
  terminal: TerminalState;
  /** Commands of this thread, by id. */
  readonly commands: Map<string, CommandState>;
  readonly messages: Map<string, { readonly command: string; readonly state: MessageState }>;
}

/** Judges one event and, where it is accepted, moves `state` by it. Why not, else null. */
export function judge(state: ThreadState, event: AgentEvent): ProtocolError | null {
  switch (event.event) {
    case "command.started":
      return stepCommand(state, event.data.command, "claim");
    case "command.finished":
      return finishCommand(state, event.data);
    case "command.progress":
      return requireStarted(state, event.data.command);
    case "note":
      return event.data.command === undefined ? null : requireStarted(state, event.data.command);
    case "message.started":
      return startMessage(state, event.data);
    case "text.delta":
      return requireMessage(state, event.data);
    case "message.finished":
      return finishMessage(state, event.data);
    case "terminal.output":
      return (
        requireTerminal(state, event.data.terminal) ??
        (event.data.command === undefined ? null : requireStarted(state, event.data.command))
      );
    case "terminal.screen":
    case "terminal.resized":
      return requireTerminal(state, event.data.terminal);
    case "terminal.closed":
      return closeTerminal(state, event.data.terminal);
    default:
      return unreachable(event);
  }
}

/** The scope that an event replaces, which follows from the event (ST-10). */
export function keyframeOf(event: AgentEvent): string | undefined {
  if (event.event === "terminal.screen") return terminalScope(event.data.terminal);
  if (event.event === "message.finished") return messageScope(event.data.message);
  return undefined;
}

/** The scope of what a keyframe replaces: bytes of a terminal, pieces of a message (ST-10). */
export function scopeOfEvent(event: string, data: unknown): string | undefined {
  if (event === "terminal.output" || event === "terminal.resized")
    return terminalScope((data as AgentEventData["terminal.output"]).terminal);
  if (event === "text.delta") return messageScope((data as AgentEventData["text.delta"]).message);
  return undefined;
}

function stepCommand(state: ThreadState, id: string, step: CommandStep): ProtocolError | null {
  const current = state.commands.get(id);
  if (current === undefined) return unknownCommand(state, id);
  const next = nextState(current, step);
  if (next === null)
    return wrongState(
      id,
      current,
      step === "claim" ? "it can be started once, after it was dispatched" : "publish its `command.started` first",
    );
  state.commands.set(id, next);
  return null;
}

function finishCommand(state: ThreadState, data: AgentEventData["command.finished"]): ProtocolError | null {
  if (data.outcome === "expired") {
    return new ProtocolError(
      "invalid_params",
      `command "${data.command}" was started and cannot expire; say \`failed\` or \`interrupted\``,
      {
        about: { type: "command", id: data.command },
        details: { field: "outcome" },
      },
    );
  }
  return stepCommand(state, data.command, "finish");
}

/** Nothing of a command before its start, nothing after its end. */
function requireStarted(state: ThreadState, id: string): ProtocolError | null {
  const current = state.commands.get(id);
  if (current === undefined) return unknownCommand(state, id);
  if (current === "started") return null;
  return wrongState(
    id,
    current,
    current === "finished" ? "nothing may follow its end" : "publish its `command.started` first",
  );
}

function startMessage(state: ThreadState, data: AgentEventData["message.started"]): ProtocolError | null {
  const refused = requireStarted(state, data.command);
  if (refused !== null) return refused;
  if (state.messages.has(data.message))
    return wrongMessage(data.message, "was started before; give a new message a new id");
  state.messages.set(data.message, { command: data.command, state: "started" });
  return null;
}

function requireMessage(
  state: ThreadState,
  data: { readonly command: string; readonly message: string },
): ProtocolError | null {
  const refused = requireStarted(state, data.command);
  if (refused !== null) return refused;
  const message = state.messages.get(data.message);
  if (message === undefined) return wrongMessage(data.message, "was not started; publish its `message.started` first");
  if (message.command !== data.command) return wrongMessage(data.message, `belongs to command "${message.command}"`);
  return message.state === "started" ? null : wrongMessage(data.message, "is finished; nothing may follow its end");
}

function finishMessage(state: ThreadState, data: AgentEventData["message.finished"]): ProtocolError | null {
  const refused = requireMessage(state, data);
  if (refused === null) state.messages.set(data.message, { command: data.command, state: "finished" });
  return refused;
}

function requireTerminal(state: ThreadState, terminal: string): ProtocolError | null {
  const about = { type: "terminal", id: terminal };
  if (terminal !== terminalOf(state.thread)) {
    return new ProtocolError(
      "not_found",
      `thread "${state.thread}" has no terminal "${terminal}"; its terminal is "${terminalOf(state.thread)}"`,
      { about },
    );
  }
  if (state.terminal === "open") return null;
  return new ProtocolError("conflict", `terminal "${terminal}" is closed; nothing may follow its end`, {
    about,
    details: { state: "closed" },
  });
}

/** In a thread of commands the next command opens the terminal again, so only an interactive one stays closed. */
function closeTerminal(state: ThreadState, terminal: string): ProtocolError | null {
  const refused = requireTerminal(state, terminal);
  if (refused === null && state.kind === "terminal") state.terminal = "closed";
  return refused;
}

function unknownCommand(state: ThreadState, id: string): ProtocolError {
  return new ProtocolError("not_found", `thread "${state.thread}" has no command "${id}"`, {
    about: { type: "command", id },
  });
}

function wrongState(id: string, current: CommandState, advice: string): ProtocolError {
  return new ProtocolError("conflict", `command "${id}" is ${current}: ${advice}`, {
    about: { type: "command", id },
    details: { state: current },
  });
}

function wrongMessage(id: string, why: string): ProtocolError {
  return new ProtocolError("conflict", `message "${id}" ${why}`, { about: { type: "message", id } });
}
