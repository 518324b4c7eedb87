/**
 * A thread as an AG-UI event stream: the whole mapping, in one place.
 *
 * A command is a run. Whoever comes first hears what was said so far (`MESSAGES_SNAPSHOT`, in a run of its own, since AG-UI
 * knows no event outside of one), then each run as it happens: the person's message, the replies piece by piece, the end.
 * A run that was under way at the beginning is taken up amid its reply. Pure. Invariants, which `@ag-ui/client` checks: one
 * run at a time, every start has its end, nothing between runs. Bytes of terminals have no place in AG-UI and are left out.
 */
import type { AgentEventData, ThreadServerEventData, ThreadSnapshot } from "../contract/index.ts";

/** As AG-UI writes it: `type` and what belongs to it. */
export type AgUiEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

interface LoggedEvent {
  readonly event: string;
  /** ms since 1970. */
  readonly at: number;
  readonly data: unknown;
}

/** What is said first, and then of each event of the thread's log after the snapshot. */
export function openAgUi(snapshot: ThreadSnapshot): {
  readonly first: readonly AgUiEvent[];
  readonly event: (event: LoggedEvent) => readonly AgUiEvent[];
} {
  const mapping = new Mapping(snapshot.thread.id);
  return { first: mapping.begin(snapshot), event: (event) => mapping.map(event) };
}

/** Of the run that tells what was said before anybody listened. */
const historyRun = "history";

class Mapping {
  private readonly threadId: string;
  /** Texts of commands that have not begun. */
  private readonly texts = new Map<string, string>();
  private run: string | undefined;
  private readonly openMessages = new Set<string>();

  constructor(threadId: string) {
    this.threadId = threadId;
  }

  begin({ commands, messages }: ThreadSnapshot): readonly AgUiEvent[] {
    const said: { id: string; role: "user" | "assistant"; content: string }[] = [];
    for (const { id, text, state } of commands) {
      if (state === "queued" || state === "dispatched") this.texts.set(id, text);
      else said.push({ id, role: "user", content: text });
      for (const message of messages) {
        if (message.command === id && message.state === "finished")
          said.push({ id: message.id, role: "assistant", content: message.text });
      }
    }
    const events: AgUiEvent[] = [
      this.of("RUN_STARTED", { runId: historyRun }),
      { type: "MESSAGES_SNAPSHOT", messages: said },
      this.of("RUN_FINISHED", { runId: historyRun }),
    ];
    const running = commands.find(({ state }) => state === "started");
    if (running === undefined) return events;
    this.run = running.id;
    events.push(this.of("RUN_STARTED", { runId: running.id }));
    for (const { id, command, state, text } of messages)
      if (command === running.id && state === "started") events.push(...this.startMessage(id), ...this.say(id, text));
    return events;
  }

  map({ event, at, data }: LoggedEvent): readonly AgUiEvent[] {
    return this.mapped(event, data).map((one) => ({ ...one, timestamp: at }));
  }

  private mapped(event: string, data: unknown): readonly AgUiEvent[] {
    switch (event) {
      case "command.queued": {
        const { command, text } = data as ThreadServerEventData["command.queued"];
        this.texts.set(command, text);
        return [];
      }
      case "command.started":
        return this.startRun((data as AgentEventData["command.started"]).command);
      case "message.started":
        return this.startMessage((data as AgentEventData["message.started"]).message);
      case "text.delta": {
        const { message, text } = data as AgentEventData["text.delta"];
        return this.say(message, text);
      }
      case "message.finished": {
        const { message, text } = data as AgentEventData["message.finished"];
        // Retention leaves the whole message where its pieces were.
        const whole = this.openMessages.has(message) ? [] : [...this.startMessage(message), ...this.say(message, text)];
        return [...whole, ...this.endMessage(message)];
      }
      case "command.progress":
        return this.custom("command.progress", data);
      case "note":
        return this.custom("note", data);
      case "command.finished":
        return this.finish(data as AgentEventData["command.finished"]);
      default:
        return [];
    }
  }

  private startRun(command: string): AgUiEvent[] {
    const text = this.texts.get(command) ?? "";
    this.texts.delete(command);
    this.run = command;
    const message = { messageId: command };
    return [
      this.of("RUN_STARTED", { runId: command }),
      { type: "TEXT_MESSAGE_START", ...message, role: "user" },
      ...(text === "" ? [] : [{ type: "TEXT_MESSAGE_CONTENT", ...message, delta: text }]),
      { type: "TEXT_MESSAGE_END", ...message },
    ];
  }

  private startMessage(messageId: string): AgUiEvent[] {
    if (this.run === undefined || this.openMessages.has(messageId)) return [];
    this.openMessages.add(messageId);
    return [{ type: "TEXT_MESSAGE_START", messageId, role: "assistant" }];
  }

  private say(messageId: string, delta: string): AgUiEvent[] {
    return delta === "" || !this.openMessages.has(messageId)
      ? []
      : [{ type: "TEXT_MESSAGE_CONTENT", messageId, delta }];
  }

  private endMessage(messageId: string): AgUiEvent[] {
    return this.openMessages.delete(messageId) ? [{ type: "TEXT_MESSAGE_END", messageId }] : [];
  }

  private custom(name: string, value: unknown): AgUiEvent[] {
    return this.run === undefined ? [] : [{ type: "CUSTOM", name, value }];
  }

  private finish(end: AgentEventData["command.finished"]): AgUiEvent[] {
    const { command, outcome, reason } = end;
    // One that ended without having begun is told all the same: somebody sent it.
    const begun = this.run === command ? [] : this.startRun(command);
    const events = [...begun, ...[...this.openMessages].flatMap((message) => this.endMessage(message))];
    this.run = undefined;
    const runId = command;
    if (outcome === "completed") return [...events, this.of("RUN_FINISHED", { runId, outcome: { type: "success" } })];
    if (outcome === "interrupted")
      return [...events, this.of("RUN_FINISHED", { runId, outcome: { type: "cancelled" } })];
    return [...events, { type: "RUN_ERROR", message: reason ?? `the command ${outcome}`, code: outcome }];
  }

  private of(type: string, rest: Readonly<Record<string, unknown>>): AgUiEvent {
    return { type, threadId: this.threadId, ...rest };
  }
}
