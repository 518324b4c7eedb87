/**
 * The threads that this process publishes to, each with its line and its terminal.
 *
 * A thread is made at its first use and kept, for its screen is what the next keyframe shows; idle ones beyond
 * the limit go, the least recently used first. Invariant: a thread that prints, waits or is undecided is never
 * dropped.
 */

import type { PublisherSession } from "@holdfast/client/publisher";
import { streams } from "@holdfast/control/names";
import type { Clock } from "@holdfast/protocol";
import type { AgentLog } from "../log.ts";
import type { Screen } from "../screen/screen.ts";
import { TerminalStream } from "../terminal/terminalStream.ts";
import { ThreadLine } from "./threadLine.ts";

/** Idle threads whose screens are kept, about 2 MB each. */
export const threadsKeptMax = 32;

export interface Thread {
  readonly id: string;
  readonly line: ThreadLine;
  readonly terminal: TerminalStream;
}

/** Where the screens of terminals come from: one a thread, or one that several threads show in turn. */
export interface Screens {
  /** `progressed` must be called as it draws. */
  make(thread: string, progressed: () => void): Screen;
  drop(screen: Screen): void;
}

export class Threads {
  private readonly session: PublisherSession;
  private readonly clock: Clock;
  private readonly log: AgentLog;
  private readonly screens: Screens;
  private readonly kept = new Map<string, Thread>();

  constructor(session: PublisherSession, clock: Clock, log: AgentLog, screens: Screens) {
    this.session = session;
    this.clock = clock;
    this.log = log;
    this.screens = screens;
  }

  get(id: string): Thread {
    const known = this.kept.get(id);
    if (known !== undefined) {
      this.kept.delete(id);
      this.kept.set(id, known);
      return known;
    }
    const line = new ThreadLine(id, this.session.producer(streams.thread(id)), this.log);
    const screen = this.screens.make(id, () => thread.terminal.regulate());
    const thread: Thread = { id, line, terminal: new TerminalStream(line, screen, this.clock, this.log) };
    this.kept.set(id, thread);
    this.dropIdle(id);
    return thread;
  }

  /** Resolves once everything published so far is decided. */
  async decided(): Promise<void> {
    await Promise.all([...this.kept.values()].map((thread) => thread.line.decided()));
  }

  /** Nothing more is published; screens and producers go. */
  close(): void {
    for (const thread of this.kept.values()) this.dispose(thread);
    this.kept.clear();
  }

  private dropIdle(newest: string): void {
    for (const [id, thread] of this.kept) {
      if (this.kept.size <= threadsKeptMax) return;
      if (id === newest || !thread.terminal.idle) continue;
      this.kept.delete(id);
      this.dispose(thread);
    }
  }

  private dispose(thread: Thread): void {
    thread.terminal.close();
    this.screens.drop(thread.terminal.screen);
  }
}
