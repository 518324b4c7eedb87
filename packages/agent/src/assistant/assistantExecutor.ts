/**
 * Kind `assistant`: a command is a message, and its effects are a model's answer.
 *
 * Life of a command: typing is told → the conversation so far is read → the model answers, piece by piece → the message
 * and then the command end. Typing is told again each {@link typingEachMs} and ends with the command; whoever hears of it
 * lets it lapse besides, so it ends also where this process does. Answers of several threads run beside each other.
 * Invariant: every command that begins here ends, whatever the model does. It deliberately has no tools and no
 * terminal: a model's text is written and nothing of it is done.
 */
import { type Clock, type Random, uuidv7 } from "@holdfast/protocol";
import { type ClaimedCommand, type CommandEnd, stoppedByPerson } from "../commands.ts";
import type { AgentLog } from "../log.ts";
import type { Executor, Office } from "../programs/executor.ts";
import { Screen } from "../screen/screen.ts";
import type { Thread } from "../threads/threads.ts";
import { type AnswerEnd, type AnswerLimits, aborted, answer } from "./answer.ts";
import type { ChatModel } from "./chatModel.ts";
import { conversationBefore } from "./conversation.ts";
import { MessageWriter } from "./messageWriter.ts";

/** How many threads get an answer at once. */
export const answersMax = 32;
export const typingEachMs = 3_000;
/** Told with each signal: how long it is worth something. */
export const typingForMs = 8_000;
const reasonCharsMax = 500;

export interface AssistantParts {
  /** Asked at each answer: a model may be changed while its assistant is at work. */
  readonly model: () => ChatModel;
  readonly limits: AnswerLimits;
  readonly office: Office;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: AgentLog;
}

export class AssistantExecutor implements Executor {
  readonly concurrency = answersMax;
  readonly capabilities = ["chat", `concurrency:${answersMax}`];
  private readonly parts: AssistantParts;
  private readonly answering = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>();

  constructor(parts: AssistantParts) {
    this.parts = parts;
  }

  /** A thread has a screen whatever its agent is; nothing is ever drawn on this one. */
  make(_thread: string, progressed: () => void): Screen {
    return new Screen({ cols: 1, rows: 1 }, () => {}, progressed);
  }

  drop(screen: Screen): void {
    screen.dispose();
  }

  run(command: ClaimedCommand): void {
    const stop = new AbortController();
    const ended = this.answer(command, stop.signal).then(
      (end) => command.finish(end),
      (error: unknown) => {
        this.parts.log.error("assistant.answer.failed", { command: command.id, error });
        command.finish({ outcome: "failed", reason: "the assistant failed; its log says why" });
      },
    );
    this.answering.set(command.id, { stop, ended: ended.finally(() => this.answering.delete(command.id)) });
  }

  interrupt(command: string): void {
    this.answering.get(command)?.stop.abort(stoppedByPerson);
  }

  /** It has none; this is what a thread sees if it is asked all the same. */
  openTerminal(thread: Thread): void {
    const reason = "an assistant has no terminal";
    thread.line.publish("terminal.closed", { terminal: thread.terminal.terminal, reason }).catch(() => {});
  }

  /** Nothing reads what is typed. */
  input(): void {}

  /** Nothing has a size. */
  resize(): void {}

  async stop(): Promise<void> {
    const answers = [...this.answering.values()];
    for (const { stop } of answers) stop.abort("shutdown");
    await Promise.all(answers.map(({ ended }) => ended));
  }

  private async answer(command: ClaimedCommand, stop: AbortSignal): Promise<CommandEnd> {
    const { clock, random, office, log } = this.parts;
    const typing = this.tellTyping(command);
    const { line } = command.thread;
    const newId = (): string => uuidv7(clock.now(), random.bytes(10));
    const writer = new MessageWriter({ line, command: command.id, clock, newId });
    try {
      const { id, text, thread } = command;
      const asked = conversationBefore(office, { id, text, thread: thread.id }).catch((error: unknown) => {
        log.warn("assistant.conversation.unread", { command: id, error });
        return undefined;
      });
      const turns = await Promise.race([asked, aborted(stop).then(() => "stopped" as const)]);
      if (turns === "stopped") return endOf({ kind: "stopped" }, stop);
      if (turns === undefined) return { outcome: "failed", reason: "the conversation so far could not be read" };
      const parts = {
        ...this.parts,
        model: this.parts.model(),
        write: (piece: string) => writer.write(piece),
        tell: (progress: string) =>
          void line.publish("command.progress", { command: id, text: shorten(progress) }).catch(() => {}),
      };
      return endOf(await answer(turns, parts, stop), stop);
    } finally {
      // What was written is kept, however it ended.
      writer.finish();
      typing.end();
    }
  }

  private tellTyping({ id: command, thread }: ClaimedCommand): { end(): void } {
    const { clock, office } = this.parts;
    const tell = (forMs: number): void => office.signal(thread.id, "typing", { command, forMs });
    let timer: unknown;
    const again = (): void => {
      tell(typingForMs);
      timer = clock.after(typingEachMs, again);
    };
    again();
    return {
      end: () => {
        clock.cancel(timer);
        tell(0);
      },
    };
  }
}

function endOf(end: AnswerEnd, stop: AbortSignal): CommandEnd {
  switch (end.kind) {
    case "completed":
      return {
        outcome: "completed",
        ...(end.remark === undefined ? {} : { reason: end.remark }),
        ...(end.usage === undefined ? {} : { usage: end.usage }),
      };
    case "stopped":
      return { outcome: "interrupted", reason: String(stop.reason) };
    case "failed":
      return {
        outcome: "failed",
        reason: shorten(end.reason),
        ...(end.usage === undefined ? {} : { usage: end.usage }),
      };
  }
}

function shorten(text: string): string {
  return text.length <= reasonCharsMax ? text : `${text.slice(0, reasonCharsMax - 1).toWellFormed()}…`;
}
