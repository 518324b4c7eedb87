/**
 * Kind `terminal`: one interactive program in a pty; a command is typed into it.
 *
 * The end of a command is what the program says by shell-integration marks: after a `start` mark only an `end`
 * mark ends it. A program that gives no `start` is judged by quiet, 1.5 s without output, and the end is
 * marked `inferred`. The program's exit ends a running command, and with it the agent.
 * There is one program and one screen, shown by one thread at a time: the thread of the last command, or of
 * the terminal opened last. What is printed between commands belongs to that thread; before there is one it is
 * kept on the screen only, and the first thread begins with a keyframe of it.
 * Invariant: a command's output up to its end mark is published before its `command.finished`.
 */
import { assert, type Clock } from "@holdfast/protocol";
import { type ClaimedCommand, type CommandEnd, stoppedByPerson } from "../commands.ts";
import type { AgentLog } from "../log.ts";
import { endPolitely } from "../pty/polite.ts";
import type { Pty, PtyEnd, SpawnPty } from "../pty/port.ts";
import { defaultSize, Screen, type ScreenSize } from "../screen/screen.ts";
import { type Mark, MarkReader } from "../terminal/marks.ts";
import { screenBehindBytesMax } from "../terminal/terminalStream.ts";
import type { Thread } from "../threads/threads.ts";
import type { Executor } from "./executor.ts";
import { exitCodeOf } from "./terminalProgram.ts";
import { typed } from "./typing.ts";

/** Silence after which a command of a program without marks counts as ended. */
export const quietMs = 1_500;
/** How long an interrupted program may take to give the prompt back; the command ends then, the program does not. */
export const interruptMsMax = 10_000;
const controlC = Buffer.from([3]);

export interface ProgramParts {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly spawn: SpawnPty;
  readonly clock: Clock;
  readonly log: AgentLog;
  /** Called once when the program ended, after everything of it was published. */
  readonly exited: (end: PtyEnd) => void;
}

export class ProgramExecutor implements Executor {
  readonly capabilities = ["terminal"];
  private readonly parts: ProgramParts;
  private readonly screen: Screen;
  private readonly pty: Pty;
  private readonly ended: Promise<PtyEnd>;
  private readonly marks = new MarkReader();
  private current: { readonly thread: Thread; readonly detach: () => void } | undefined;
  private running: { readonly command: ClaimedCommand; started: boolean; isStopped: boolean } | undefined;
  private quiet: unknown;
  private patience: unknown;
  private stopping = false;
  private pausedAlone = false;

  /** Starts the program. Throws where nothing can be spawned at all. */
  constructor(parts: ProgramParts) {
    this.parts = parts;
    this.screen = new Screen(
      defaultSize,
      (bytes) => void this.pty.write(bytes),
      () => this.progressed(),
    );
    let tell: (end: PtyEnd) => void = () => {};
    this.ended = new Promise((resolve) => {
      tell = resolve;
    });
    const options = { ...parts, ...defaultSize };
    this.pty = parts.spawn(options, {
      data: (bytes) => this.printed(bytes),
      ended: (end) => {
        this.exit(end);
        tell(end);
      },
    });
  }

  /** All threads show the one screen. */
  make(): Screen {
    return this.screen;
  }

  /** The screen goes with the program. */
  drop(): void {}

  run(command: ClaimedCommand): void {
    assert(this.running === undefined, "a program was given a second command while one runs");
    this.turnTo(command.thread);
    this.running = { command, started: false, isStopped: false };
    this.pty.write(typed(command.text, this.screen.bracketedPaste));
    this.listen();
  }

  interrupt(command: string): void {
    const { running } = this;
    if (running?.command.id !== command || running.isStopped) return;
    running.isStopped = true;
    this.pty.write(controlC);
    this.patience = this.parts.clock.after(interruptMsMax, () => {
      if (this.running === running) this.finish({ outcome: "interrupted", reason: stoppedByPerson, inferred: true });
    });
  }

  openTerminal(thread: Thread, size: ScreenSize): void {
    this.turnTo(thread);
    this.resize(thread, size);
  }

  input(thread: Thread, bytes: Uint8Array): void {
    if (thread !== this.current?.thread)
      this.parts.log.debug("agent.input.unread", { thread: thread.id, bytes: bytes.length });
    else if (!this.pty.write(bytes))
      this.parts.log.warn("agent.input.full", { thread: thread.id, bytes: bytes.length });
  }

  resize(thread: Thread, size: ScreenSize): void {
    const { cols, rows } = this.screen.size;
    if (thread !== this.current?.thread || (cols === size.cols && rows === size.rows)) return;
    this.pty.resize(size.cols, size.rows);
    thread.terminal.resize(size);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await endPolitely(this.pty, this.ended, this.parts.clock);
    this.finish({ outcome: "interrupted", reason: "shutdown" });
    this.parts.clock.cancel(this.quiet);
    this.screen.dispose();
  }

  /** From here on `thread` shows the program, beginning with what is on the screen. */
  private turnTo(thread: Thread): void {
    if (this.current?.thread === thread) return;
    this.current?.thread.terminal.flush();
    this.current?.detach();
    if (this.pausedAlone) this.pty.resume();
    this.pausedAlone = false;
    this.current = { thread, detach: thread.terminal.attach(this.pty) };
    thread.terminal.show();
  }

  private printed(bytes: Uint8Array): void {
    let from = 0;
    for (const { mark, at } of this.marks.read(bytes)) {
      this.print(bytes.subarray(from, at));
      this.heard(mark);
      from = at;
    }
    this.print(bytes.subarray(from));
    if (this.running !== undefined) this.listen();
  }

  private print(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.current !== undefined) {
      this.current.thread.terminal.print(bytes, this.running?.command.id);
      return;
    }
    this.screen.feed(bytes);
    if (this.screen.pendingBytes <= screenBehindBytesMax || this.pausedAlone) return;
    this.pausedAlone = true;
    this.pty.pause();
  }

  private progressed(): void {
    this.current?.thread.terminal.regulate();
    if (!this.pausedAlone || this.screen.pendingBytes > screenBehindBytesMax) return;
    this.pausedAlone = false;
    this.pty.resume();
  }

  private heard(mark: Mark): void {
    if (this.running === undefined) return;
    if (mark.kind === "start") this.running.started = true;
    if (mark.kind !== "end" || !this.running.started) return;
    const { exitCode } = mark;
    this.finish({
      outcome: (exitCode ?? 0) === 0 ? "completed" : "failed",
      ...(exitCode === undefined ? {} : { exitCode }),
    });
  }

  /** Waits for quiet anew; a paused program is silent for our reasons, not for its own. */
  private listen(): void {
    this.parts.clock.cancel(this.quiet);
    if (this.running === undefined || this.running.started) return;
    this.quiet = this.parts.clock.after(quietMs, () => {
      if (this.current?.thread.terminal.isPaused === true) this.listen();
      else this.finish({ outcome: "completed", inferred: true });
    });
  }

  private finish(end: CommandEnd): void {
    const { running } = this;
    this.running = undefined;
    this.parts.clock.cancel(this.quiet);
    this.parts.clock.cancel(this.patience);
    const { isStopped = false } = running ?? {};
    running?.command.finish(isStopped ? { ...end, outcome: "interrupted", reason: stoppedByPerson } : end);
  }

  private exit(end: PtyEnd): void {
    const exitCode = exitCodeOf(end);
    const told = { exitCode, reason: `the program ended with exit code ${exitCode}` };
    if (this.stopping) this.finish({ outcome: "interrupted", reason: "shutdown" });
    else this.finish({ outcome: exitCode === 0 ? "completed" : "failed", ...told });
    if (this.current !== undefined) {
      const { thread } = this.current;
      thread.terminal.flush();
      this.current.detach();
      thread.line.publish("terminal.closed", { terminal: thread.terminal.terminal, ...told }).catch(() => {});
    }
    this.parts.exited(end);
  }
}
