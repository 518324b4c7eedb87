/**
 * The commands of this process: claimed before anything is done, finished once (PB-5).
 *
 * Life of a command: dispatched → waiting for its turn → claimed (`command.started` published and accepted) →
 * running → `command.finished` published. A refused claim means that it is not ours: nothing is done, and a
 * later dispatch of the same id is claimed anew. Repeats of a command that is or was ours are ignored. One that
 * a person stopped before its turn is claimed and finished at once: nothing of it is done.
 * Invariant: an executor hears of a command only after its claim was accepted, of one at a time in each thread,
 * and of no more at once than it takes. It deliberately knows no ptys.
 */
import type { AgentEventData } from "@holdfast/control/contract";
import type { Clock } from "@holdfast/protocol";
import type { AgentLog } from "./log.ts";
import type { Thread } from "./threads/threads.ts";

/** The server sends one at a time; more than this many waiting here is its fault, and they stay its own. */
export const commandsWaitingMax = 100;
/** Ids of finished commands that are remembered against repeats. */
export const commandsRememberedMax = 10_000;

export type CommandEnd = Omit<AgentEventData["command.finished"], "command" | "durationMs">;

/** A command whose effects may begin. */
export interface ClaimedCommand {
  readonly id: string;
  readonly text: string;
  readonly thread: Thread;
  /** Ends it, after everything printed so far; the first call counts. */
  finish(end: CommandEnd): void;
}

/** Why a command that a person stopped is `interrupted`. */
export const stoppedByPerson = "stopped by a person";

export interface CommandsParts {
  readonly clock: Clock;
  readonly log: AgentLog;
  /** Commands under way at once, each of another thread. */
  readonly concurrency: number;
  readonly run: (command: ClaimedCommand) => void;
  readonly interrupt: (command: string) => void;
}

export interface Dispatched {
  readonly command: string;
  readonly text: string;
}

export class Commands {
  private readonly clock: Clock;
  private readonly log: AgentLog;
  private readonly parts: CommandsParts;
  private readonly unfinished = new Map<string, Dispatched>();
  private readonly finished = new Set<string>();
  private readonly turns: { readonly order: Dispatched; readonly thread: Thread }[] = [];
  /** Threads with a command under way. */
  private readonly busy = new Set<string>();
  /** Commands that the executor has. */
  private readonly running = new Set<string>();
  /** Stopped by a person before they began. */
  private readonly unwanted = new Set<string>();
  private stopped = false;

  constructor(parts: CommandsParts) {
    this.clock = parts.clock;
    this.log = parts.log;
    this.parts = parts;
  }

  /** For `hello.agent.open`: every command whose `command.finished` is not yet published (OP-6). */
  get open(): string[] {
    return [...this.unfinished.keys()];
  }

  dispatched(order: Dispatched, thread: Thread): void {
    const known = this.unfinished.has(order.command) || this.finished.has(order.command);
    if (known || this.stopped) return;
    if (this.turns.length >= commandsWaitingMax) {
      this.log.warn("agent.command.overrun", { command: order.command, waiting: this.turns.length });
      return;
    }
    this.unfinished.set(order.command, order);
    this.turns.push({ order, thread });
    this.next();
  }

  /** A person wants it to stop. One that is not ours, or has ended, is nothing to stop. */
  interrupt(command: string): void {
    if (this.running.has(command)) this.parts.interrupt(command);
    else if (this.unfinished.has(command)) this.unwanted.add(command);
  }

  /** Claims nothing more; what waits unclaimed is the server's again. */
  stop(): void {
    this.stopped = true;
    for (const { order } of this.turns.splice(0)) this.unfinished.delete(order.command);
  }

  private next(): void {
    while (this.busy.size < this.parts.concurrency) {
      const index = this.turns.findIndex(({ thread }) => !this.busy.has(thread.id));
      const [turn] = index === -1 ? [] : this.turns.splice(index, 1);
      if (turn === undefined) return;
      this.busy.add(turn.thread.id);
      void this.take(turn.order, turn.thread);
    }
  }

  private async take(order: Dispatched, thread: Thread): Promise<void> {
    if (await this.claim(order, thread)) this.begin(order, thread);
    else {
      this.unfinished.delete(order.command);
      this.unwanted.delete(order.command);
      this.passOn(thread);
    }
  }

  /** True only where the server has it in its log that this process started the command. */
  private async claim(order: Dispatched, thread: Thread): Promise<boolean> {
    try {
      const refusal = await thread.line.publish("command.started", { command: order.command });
      if (refusal !== null) this.log.info("agent.claim.refused", { command: order.command, error: refusal });
      return refusal === null;
    } catch (error) {
      this.log.warn("agent.claim.failed", { command: order.command, error });
      return false;
    }
  }

  private begin(order: Dispatched, thread: Thread): void {
    const startedAt = this.clock.monotonic();
    let ended = false;
    const finish = (end: CommandEnd): void => {
      if (ended) return;
      ended = true;
      this.running.delete(order.command);
      thread.terminal.flush();
      const durationMs = Math.max(0, Math.round(this.clock.monotonic() - startedAt));
      void this.publishEnd(order, thread, { command: order.command, ...end, durationMs });
    };
    // Claimed and then stopped before it began: it ends as what it is.
    if (this.stopped) finish({ outcome: "interrupted", reason: "shutdown" });
    else if (this.unwanted.delete(order.command)) finish({ outcome: "interrupted", reason: stoppedByPerson });
    else {
      this.running.add(order.command);
      this.parts.run({ id: order.command, text: order.text, thread, finish });
    }
  }

  private async publishEnd(order: Dispatched, thread: Thread, end: AgentEventData["command.finished"]): Promise<void> {
    const decision = thread.line.publish("command.finished", end);
    this.passOn(thread);
    // Rejected or never decided, it is not open any more than the server says: the line has logged why.
    await decision.catch(() => {});
    this.unfinished.delete(order.command);
    this.finished.add(order.command);
    const [oldest] = this.finished;
    if (this.finished.size > commandsRememberedMax && oldest !== undefined) this.finished.delete(oldest);
  }

  private passOn(thread: Thread): void {
    this.busy.delete(thread.id);
    this.next();
  }
}
