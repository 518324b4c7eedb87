/**
 * What a simulated agent runs: programs that print a little, or talk at length, and end, in virtual time, with a screen
 * that draws nothing.
 *
 * It stands where ptys and a terminal emulator would, behind the production agent's `Executor`. That a command's
 * effects begin is told at the moment when they do; a trap may kill the process right before.
 */
import type { Clock } from "@holdfast/protocol";
import type { ClaimedCommand } from "../../../packages/agent/src/commands.ts";
import type { Executor } from "../../../packages/agent/src/programs/executor.ts";
import type { Screen } from "../../../packages/agent/src/screen/screen.ts";
import type { Dice } from "../core/dice.ts";

export interface ExecutorParts {
  readonly clock: Clock;
  readonly dice: Dice;
  /** Some take minutes, and say what they do in messages: retention comes to their threads. */
  readonly isTalkative: boolean;
  /** All is to come to its end now. */
  readonly isHurried: () => boolean;
  /** The effects of a command begin now. False: the process is gone instead. */
  readonly begins: (command: string) => boolean;
}

/** Pieces of a message that is told at length. */
const piecesPerMessage = 4;

export function simulatedExecutor({ clock, dice, isTalkative, isHurried, begins }: ExecutorParts): Executor {
  const running = new Set<ClaimedCommand>();
  const finish = (command: ClaimedCommand, end: Parameters<ClaimedCommand["finish"]>[0]): void => {
    if (running.delete(command)) command.finish(end);
  };
  return {
    capabilities: [],
    run(command) {
      if (!begins(command.id)) return;
      running.add(command);
      const isLong = isTalkative && dice.chance(0.25);
      const steps = isLong ? dice.integer(20, 60) : dice.integer(0, 6);
      const apartMs = isLong ? 3_000 : dice.pick([5, 50, 400]);
      const speak = isTalkative ? speaker(command) : undefined;
      const outcome = dice.chance(0.8) ? "completed" : "failed";
      const advance = (step: number): void => {
        if (!running.has(command)) return;
        if (step >= steps || isHurried()) {
          finish(command, { outcome, exitCode: outcome === "completed" ? 0 : 1 });
          return;
        }
        const text = `${command.id} ${step} ${"·".repeat(dice.integer(0, 30))}\r\n`;
        if (speak !== undefined && step % 2 === 0) speak();
        else command.thread.terminal.print(Buffer.from(text), command.id);
        clock.after(apartMs, () => advance(step + 1));
      };
      clock.after(apartMs, () => advance(0));
    },
    interrupt(command) {
      for (const one of [...running]) if (one.id === command) finish(one, { outcome: "interrupted" });
    },
    openTerminal() {},
    input() {},
    resize() {},
    async stop() {
      for (const command of [...running]) finish(command, { outcome: "interrupted", reason: "shutdown" });
    },
    make: () => blindScreen(),
    drop() {},
  };
}

/** Says the next piece: message after message, each begun, told in pieces, and ended with the whole. */
function speaker({ id: command, thread }: ClaimedCommand): () => void {
  let said: string[] = [];
  let messages = 0;
  // Whoever's producer stopped is fenced or gone.
  const publish: typeof thread.line.publish = (...event) => {
    const decided = thread.line.publish(...event);
    decided.catch(() => {});
    return decided;
  };
  return () => {
    const message = `${command}.${messages}`;
    if (said.length === 0) void publish("message.started", { command, message });
    const text = `${messages}.${said.length} `;
    said.push(text);
    void publish("text.delta", { command, message, text });
    if (said.length < piecesPerMessage) return;
    void publish("message.finished", { command, message, text: said.join("") });
    messages += 1;
    said = [];
  };
}

/** Everything that is fed is drawn at once, and a keyframe of it is always due to nobody. */
function blindScreen(): Screen {
  const size = { cols: 80, rows: 24 };
  const screen: Pick<
    Screen,
    "size" | "pendingBytes" | "atRest" | "bracketedPaste" | "feed" | "settled" | "resize" | "draw" | "dispose"
  > = {
    size,
    pendingBytes: 0,
    atRest: true,
    bracketedPaste: false,
    feed() {},
    settled: (then) => then(),
    resize() {},
    draw: () => Buffer.from("screen"),
    dispose() {},
  };
  // A class with fields of its own, of which nobody outside of it knows.
  return screen as Screen;
}
