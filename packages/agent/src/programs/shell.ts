/**
 * Kind `shell`: each command is a process of its own in a pty, so its outcome and exit code are exact.
 *
 * A command runs as `$SHELL -c <text>`; all commands of a thread draw on its one terminal. A thread of kind
 * `terminal` gets a login shell instead, until that ends (`terminal.closed`). Input goes to the command that
 * runs on the terminal, else to its login shell, else nowhere.
 * Invariant: `command.finished` follows the last byte that the command printed.
 */
import type { Clock } from "@holdfast/protocol";
import { type ClaimedCommand, type CommandEnd, stoppedByPerson } from "../commands.ts";
import type { AgentLog } from "../log.ts";
import type { PtyEnd, SpawnPty } from "../pty/port.ts";
import { defaultSize, Screen, type ScreenSize } from "../screen/screen.ts";
import type { Thread } from "../threads/threads.ts";
import type { Executor } from "./executor.ts";
import { exitCodeOf, reasonOf, startOnTerminal, type TerminalProgram } from "./terminalProgram.ts";

export interface ShellParts {
  readonly shell: string;
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly spawn: SpawnPty;
  readonly clock: Clock;
  readonly log: AgentLog;
}

export class ShellExecutor implements Executor {
  readonly capabilities = ["terminal"];
  private readonly parts: ShellParts;
  private readonly logins = new Map<string, TerminalProgram>();
  private readonly running = new Map<string, { readonly program: TerminalProgram; readonly command: ClaimedCommand }>();
  /** Commands that a person stopped. */
  private readonly interrupted = new Set<string>();
  private stopping = false;

  constructor(parts: ShellParts) {
    this.parts = parts;
  }

  make(thread: string, progressed: () => void): Screen {
    return new Screen(defaultSize, (bytes) => void this.programOn(thread)?.pty.write(bytes), progressed);
  }

  drop(screen: Screen): void {
    screen.dispose();
  }

  run(command: ClaimedCommand): void {
    const { thread } = command;
    if (command.text.includes("\0")) {
      command.finish({
        outcome: "failed",
        reason: "the command contains a NUL character, which no shell can be given",
      });
      return;
    }
    // A shell takes the first half of a line end of Windows for a part of the word before it (F75).
    const program = this.start(thread, ["-c", command.text.replaceAll("\r\n", "\n")], command.id);
    if (program instanceof Error) {
      command.finish({ outcome: "failed", reason: `cannot start ${this.parts.shell}: ${program.message}` });
      return;
    }
    this.running.set(thread.id, { program, command });
    void program.ended.then((end) => {
      this.running.delete(thread.id);
      if (this.interrupted.delete(command.id)) command.finish(stoppedOf(end));
      else command.finish(this.stopping ? { outcome: "interrupted", reason: "shutdown" } : endOf(end));
    });
  }

  interrupt(command: string): void {
    const found = [...this.running.values()].find((one) => one.command.id === command);
    if (found === undefined || this.interrupted.has(command)) return;
    this.interrupted.add(command);
    found.program.interrupt();
  }

  openTerminal(thread: Thread, size: ScreenSize): void {
    if (this.stopping) return;
    this.resize(thread, size);
    if (this.logins.has(thread.id)) return;
    const program = this.start(thread, ["-l"]);
    if (program instanceof Error) {
      this.closed(thread, undefined, `cannot start ${this.parts.shell}: ${program.message}`);
      return;
    }
    this.logins.set(thread.id, program);
    void program.ended.then((end) => {
      this.logins.delete(thread.id);
      this.closed(thread, exitCodeOf(end), this.stopping ? "shutdown" : reasonOf(end));
    });
  }

  input(thread: Thread, bytes: Uint8Array): void {
    const program = this.programOn(thread.id);
    if (program === undefined) this.parts.log.debug("agent.input.unread", { thread: thread.id, bytes: bytes.length });
    else if (!program.pty.write(bytes))
      this.parts.log.warn("agent.input.full", { thread: thread.id, bytes: bytes.length });
  }

  resize(thread: Thread, size: ScreenSize): void {
    this.running.get(thread.id)?.program.pty.resize(size.cols, size.rows);
    this.logins.get(thread.id)?.pty.resize(size.cols, size.rows);
    const { cols, rows } = thread.terminal.screen.size;
    if (cols !== size.cols || rows !== size.rows) thread.terminal.resize(size);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const commands = [...this.running.values()];
    const ends = [
      ...commands.map(({ program }) => program.end()),
      ...[...this.logins.values()].map((program) => program.end()),
    ];
    await Promise.all(ends);
    // A pty that did not end in time is told all the same; `finish` counts once.
    for (const { command } of commands) command.finish({ outcome: "interrupted", reason: "shutdown" });
  }

  private programOn(thread: string): TerminalProgram | undefined {
    return this.running.get(thread)?.program ?? this.logins.get(thread);
  }

  private start(thread: Thread, options: readonly string[], label?: string): TerminalProgram | Error {
    const { shell, cwd, environment, spawn, clock } = this.parts;
    try {
      const program = {
        command: [shell, ...options] as const,
        cwd,
        environment,
        ...(label === undefined ? {} : { label }),
      };
      return startOnTerminal(thread, program, spawn, clock);
    } catch (error) {
      this.parts.log.error("agent.spawn.failed", { shell, cwd, error });
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  private closed(thread: Thread, exitCode: number | undefined, reason: string | undefined): void {
    thread.terminal.flush();
    const how = { ...(exitCode === undefined ? {} : { exitCode }), ...(reason === undefined ? {} : { reason }) };
    thread.line.publish("terminal.closed", { terminal: thread.terminal.terminal, ...how }).catch(() => {});
  }
}

function stoppedOf(end: PtyEnd): CommandEnd {
  return { outcome: "interrupted", reason: stoppedByPerson, exitCode: exitCodeOf(end) };
}

function endOf(end: PtyEnd): CommandEnd {
  const exitCode = exitCodeOf(end);
  const reason = reasonOf(end);
  return { outcome: exitCode === 0 ? "completed" : "failed", exitCode, ...(reason === undefined ? {} : { reason }) };
}
