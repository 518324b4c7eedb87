/**
 * One thread's terminal on its way to the viewers: bytes in, events and keyframes out, pauses back.
 *
 * Life of a byte: source → coalescer → `terminal.output` in the thread's line → the agent's own screen. Each
 * 256 KiB or 60 s of output the line is held, the screen catches up, and a `terminal.screen` keyframe takes
 * its place between two outputs: it shows exactly what was published before it.
 * Sources pause while the producer's buffer is full (PB-4), while a keyframe is drawn, and while the screen is
 * behind; nothing is dropped. Invariant: the published bytes, joined, are the printed ones. It deliberately
 * knows no ptys and no commands, only a label for what is printed.
 */
import { terminalOf, terminalScope } from "@holdfast/control/names";
import { type Clock, limits } from "@holdfast/protocol";
import type { AgentLog } from "../log.ts";
import type { Screen, ScreenSize } from "../screen/screen.ts";
import type { ThreadLine } from "../threads/threadLine.ts";
import { Coalescer } from "./coalescer.ts";

/** Output between two keyframes of a terminal. */
export const keyframeEachBytes = 256 * 1024;
export const keyframeEachMs = 60_000;
/** A keyframe in base64 with its names around it stays under an event's limit. */
export const keyframeBytesMax = Math.floor(((limits.eventBytesMax - 1024) * 3) / 4);
/** How far the screen may be behind before the sources pause. */
export const screenBehindBytesMax = 256 * 1024;

/** What prints: a pty, a script. */
export interface TerminalSource {
  pause(): void;
  resume(): void;
}

export class TerminalStream {
  readonly line: ThreadLine;
  readonly screen: Screen;
  private readonly clock: Clock;
  private readonly log: AgentLog;
  private readonly coalescer = new Coalescer();
  private readonly sources = new Set<TerminalSource>();
  private command: string | undefined;
  private timer: unknown;
  private paused = false;
  private drawing = false;
  private sinceBytes = 0;
  private keyframeAt: number;
  private readonly stopDrain: () => void;

  constructor(line: ThreadLine, screen: Screen, clock: Clock, log: AgentLog) {
    this.line = line;
    this.screen = screen;
    this.clock = clock;
    this.log = log;
    this.keyframeAt = clock.monotonic();
    this.stopDrain = line.onDrain(() => this.regulate());
  }

  get terminal(): string {
    return terminalOf(this.line.thread);
  }

  /** True while nothing prints here and everything printed is decided. */
  get idle(): boolean {
    return this.sources.size === 0 && this.coalescer.dueAt === undefined && !this.drawing && this.line.idle;
  }

  /** True while the sources are held: their silence says nothing then. */
  get isPaused(): boolean {
    return this.paused;
  }

  /** `source` is paused and resumed with this terminal, until the returned function is called. */
  attach(source: TerminalSource): () => void {
    this.sources.add(source);
    if (this.paused) source.pause();
    return () => {
      this.sources.delete(source);
      if (this.paused) source.resume();
    };
  }

  /** Takes bytes exactly as printed, on behalf of `command` where one prints them. */
  print(bytes: Uint8Array, command?: string): void {
    if (command !== this.command) this.flush();
    this.command = command;
    for (const piece of this.coalescer.push(bytes, this.clock.monotonic())) this.emit(piece);
    this.arm();
    this.regulate();
  }

  /** Hands out what the coalescer holds: before an event that must follow it. */
  flush(): void {
    for (const piece of this.coalescer.take(this.clock.monotonic())) this.emit(piece);
    this.arm();
  }

  resize(size: ScreenSize): void {
    this.flush();
    this.screen.resize(size);
    void this.publishQuietly("terminal.resized", { terminal: this.terminal, ...size });
  }

  /** A keyframe now, whatever is due: the thread shows this screen from here on. */
  show(): void {
    this.flush();
    if (!this.drawing) this.draw();
  }

  /** Called as the screen has drawn more. */
  regulate(): void {
    const paused = !this.line.accepting || this.drawing || this.screen.pendingBytes > screenBehindBytesMax;
    if (paused === this.paused) return;
    this.paused = paused;
    for (const source of this.sources) {
      if (paused) source.pause();
      else source.resume();
    }
  }

  /** Only when idle. */
  close(): void {
    this.clock.cancel(this.timer);
    this.stopDrain();
    this.line.close();
  }

  private arm(): void {
    this.clock.cancel(this.timer);
    const due = this.coalescer.dueAt;
    if (due === undefined) return;
    this.timer = this.clock.after(Math.max(0, Math.ceil(due - this.clock.monotonic())), () => {
      this.flush();
      this.regulate();
    });
  }

  private emit(piece: Uint8Array): void {
    const label = this.command === undefined ? {} : { command: this.command };
    const data = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("base64");
    void this.publishQuietly("terminal.output", { ...label, terminal: this.terminal, data }, () => {
      this.screen.feed(piece);
      this.sinceBytes += piece.length;
      if (this.keyframeDue()) this.draw();
    });
  }

  /** The line reports what is rejected; nobody waits for a single output. */
  private async publishQuietly(...[event, data, sent]: Outgoing): Promise<void> {
    await this.line.publish(event, data, sent === undefined ? {} : { sent }).catch(() => {});
  }

  /** Never in the middle of a sequence: what follows a keyframe must make sense after it. */
  private keyframeDue(): boolean {
    if (this.drawing || !this.screen.atRest) return false;
    return this.sinceBytes >= keyframeEachBytes || this.clock.monotonic() - this.keyframeAt >= keyframeEachMs;
  }

  private draw(): void {
    this.drawing = true;
    this.line.hold();
    this.screen.settled(() => {
      try {
        this.publishScreen();
      } catch (error) {
        // A screen that cannot be drawn must not hold the output behind it.
        this.log.error("agent.keyframe.failed", { thread: this.line.thread, error });
      }
      this.drawing = false;
      this.sinceBytes = 0;
      this.keyframeAt = this.clock.monotonic();
      this.line.release();
      this.regulate();
    });
  }

  private publishScreen(): void {
    const drawing = this.screen.draw(keyframeBytesMax);
    if (drawing === undefined) {
      // Nothing is lost without it: the outputs stay in the log until a later keyframe replaces them.
      this.log.info("agent.keyframe.skipped", { thread: this.line.thread, ...this.screen.size });
      return;
    }
    const data = Buffer.from(drawing).toString("base64");
    const keyframe = { terminal: this.terminal, ...this.screen.size, data };
    this.line.publishHeld("terminal.screen", keyframe, terminalScope(this.terminal)).catch(() => {});
  }
}

type Outgoing =
  | [event: "terminal.output", data: { command?: string; terminal: string; data: string }, sent: () => void]
  | [event: "terminal.resized", data: { terminal: string; cols: number; rows: number }, sent?: () => void];
