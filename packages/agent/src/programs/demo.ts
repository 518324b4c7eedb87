/**
 * Kind `custom`: the scripted demo agent. It needs no key and no model, and says so in what it prints.
 *
 * Any command gets the same short performance: a few coloured lines, a progress in steps, an end. Its time is
 * the clock's, so with a simulated one it is the same to the byte. It exists so that a fresh installation has
 * something to watch; it deliberately executes nothing of what it is told.
 */
import { type Clock, unreachable } from "@holdfast/protocol";
import { type ClaimedCommand, stoppedByPerson } from "../commands.ts";
import { defaultSize, Screen, type ScreenSize } from "../screen/screen.ts";
import type { Thread } from "../threads/threads.ts";
import type { Executor } from "./executor.ts";

/** Between two steps of the performance. */
const stepMs = 300;

type Step = { readonly kind: "print"; readonly text: string } | { readonly kind: "progress"; readonly text: string };

export class DemoExecutor implements Executor {
  readonly capabilities: readonly string[] = [];
  private readonly clock: Clock;
  private readonly performing = new Set<Performance>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  make(_thread: string, progressed: () => void): Screen {
    return new Screen(defaultSize, () => {}, progressed);
  }

  drop(screen: Screen): void {
    screen.dispose();
  }

  run(command: ClaimedCommand): void {
    const performance = new Performance(command, this.clock, () => this.performing.delete(performance));
    this.performing.add(performance);
    performance.begin();
  }

  interrupt(command: string): void {
    for (const performance of this.performing) if (performance.id === command) performance.interrupt(stoppedByPerson);
  }

  /** It has no program to open; `capabilities` says so, and this is what a thread sees if it is asked all the same. */
  openTerminal(thread: Thread): void {
    const reason = "the demo agent has no interactive terminal";
    thread.line.publish("terminal.closed", { terminal: thread.terminal.terminal, reason }).catch(() => {});
  }

  /** Nothing reads what is typed. */
  input(): void {}

  resize(thread: Thread, size: ScreenSize): void {
    const { cols, rows } = thread.terminal.screen.size;
    if (cols !== size.cols || rows !== size.rows) thread.terminal.resize(size);
  }

  async stop(): Promise<void> {
    for (const performance of [...this.performing]) performance.interrupt("shutdown");
  }
}

/** One command's run through the script; a paused one waits at its next step. */
class Performance {
  private readonly command: ClaimedCommand;
  private readonly clock: Clock;
  private readonly done: () => void;
  private readonly steps: Step[];
  private detach: () => void = () => {};
  private timer: unknown;
  private paused = false;

  constructor(command: ClaimedCommand, clock: Clock, done: () => void) {
    this.command = command;
    this.clock = clock;
    this.done = done;
    this.steps = script(command.text);
  }

  begin(): void {
    this.detach = this.command.thread.terminal.attach({
      pause: () => {
        this.paused = true;
        this.clock.cancel(this.timer);
      },
      resume: () => {
        this.paused = false;
        this.arm();
      },
    });
    this.advance();
  }

  get id(): string {
    return this.command.id;
  }

  interrupt(reason: string): void {
    this.end();
    this.command.finish({ outcome: "interrupted", reason });
  }

  private advance(): void {
    const step = this.steps.shift();
    if (step === undefined) {
      this.end();
      this.command.finish({ outcome: "completed", exitCode: 0 });
      return;
    }
    this.perform(step);
    this.arm();
  }

  private perform(step: Step): void {
    const { terminal, line } = this.command.thread;
    switch (step.kind) {
      case "print":
        terminal.print(Buffer.from(step.text, "utf8"), this.command.id);
        return;
      case "progress":
        terminal.flush();
        line.publish("command.progress", { command: this.command.id, text: step.text }).catch(() => {});
        return;
      default:
        unreachable(step);
    }
  }

  private arm(): void {
    this.clock.cancel(this.timer);
    if (!this.paused) this.timer = this.clock.after(stepMs, () => this.advance());
  }

  private end(): void {
    this.clock.cancel(this.timer);
    this.paused = true;
    this.detach();
    this.clock.cancel(this.timer);
    this.done();
  }
}

const tasks = ["reading the request", "thinking it over", "pretending to work", "checking the result"];

function script(text: string): Step[] {
  const print = (line: string): Step => ({ kind: "print", text: `${line}\r\n` });
  const opening = [
    print(`${bold("Demo agent")} ${dim("a script: no model, no key, nothing is executed")}`),
    print(`You said: ${cyan(shown(text))}`),
  ];
  const working = tasks.flatMap((task, index): Step[] => [
    { kind: "progress", text: `${task} (${index + 1} of ${tasks.length})` },
    print(`${green("✓")} ${task}`),
  ]);
  return [...opening, ...working, print(bold("Done."))];
}

/** One line of what was said: a script must not be made to print control sequences. */
function shown(text: string): string {
  const line = text.replaceAll(/\p{Cc}+/gu, " ").trim();
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

const styled = (code: number, text: string): string => `\u001b[${code}m${text}\u001b[0m`;
const bold = (text: string): string => styled(1, text);
const dim = (text: string): string => styled(2, text);
const green = (text: string): string => styled(32, text);
const cyan = (text: string): string => styled(36, text);
