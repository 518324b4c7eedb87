/**
 * A program whose pty prints on a thread's terminal: the pair of the two, with one end.
 *
 * Life cycle: started → prints (labelled with its command, if it has one) → ended once, after its last byte was
 * handed to the terminal. It deliberately knows no outcomes.
 */
import type { Clock } from "@holdfast/protocol";
import { endPolitely, interruptPolitely } from "../pty/polite.ts";
import type { Pty, PtyEnd, SpawnPty } from "../pty/port.ts";
import type { Thread } from "../threads/threads.ts";

export interface TerminalProgramOptions {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The command on whose behalf it prints. */
  readonly label?: string;
}

export interface TerminalProgram {
  readonly pty: Pty;
  /** Resolves after the last byte. */
  readonly ended: Promise<PtyEnd>;
  /** Ends it politely, then by force (≤ `endMsMax`). */
  end(): Promise<void>;
  /** SIGINT at once, by force within 10 s. */
  interrupt(): void;
}

/** Throws what the operating system says where nothing can be spawned at all. */
export function startOnTerminal(
  thread: Thread,
  options: TerminalProgramOptions,
  spawn: SpawnPty,
  clock: Clock,
): TerminalProgram {
  const { terminal } = thread;
  let detach: () => void = () => {};
  let tell: (end: PtyEnd) => void = () => {};
  const ended = new Promise<PtyEnd>((resolve) => {
    tell = resolve;
  });
  const pty = spawn(
    { ...options, ...terminal.screen.size },
    {
      data: (bytes) => terminal.print(bytes, options.label),
      ended: (end) => {
        detach();
        tell(end);
      },
    },
  );
  detach = terminal.attach(pty);
  return {
    pty,
    ended,
    end: () => endPolitely(pty, ended, clock),
    interrupt: () => interruptPolitely(pty, ended, clock),
  };
}

/** As shells count it: 128 + the signal. */
export function exitCodeOf(end: PtyEnd): number {
  return end.signal === undefined ? end.exitCode : 128 + end.signal;
}

/** In words, for a command's `reason`; undefined where the exit code says it all. */
export function reasonOf(end: PtyEnd): string | undefined {
  return end.signal === undefined ? undefined : `ended by signal ${end.signal}`;
}
