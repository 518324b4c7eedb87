/**
 * A program in a pseudo-terminal, as the rest of the agent sees it.
 *
 * Life cycle: spawned → prints and is written to → `ended` once, after its last byte. Invariant: between
 * `spawn` and `ended` every byte that the program's terminal showed was given to `data`, in order, also where
 * the reader was paused when the program exited. It deliberately knows no commands, events or streams.
 */

export interface PtyOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly cols: number;
  readonly rows: number;
}

/** How a program ended: `exitCode` 0…255, or the number of the signal that ended it. */
export interface PtyEnd {
  readonly exitCode: number;
  readonly signal: number | undefined;
}

export interface PtyEvents {
  data(bytes: Uint8Array): void;
  ended(end: PtyEnd): void;
}

export interface Pty {
  readonly pid: number;
  /** False where the program has left more than {@link inputBytesMax} unread: nothing of `bytes` was taken. */
  write(bytes: Uint8Array): boolean;
  resize(cols: number, rows: number): void;
  /** Stops reading: the program blocks once the kernel's buffer is full. */
  pause(): void;
  resume(): void;
  /** To the program's whole process group. Nothing happens after `ended`. */
  signal(signal: "SIGHUP" | "SIGINT" | "SIGTERM" | "SIGKILL"): void;
}

/** Input that a program has not read yet. */
export const inputBytesMax = 1024 * 1024;

export type SpawnPty = (options: PtyOptions, events: PtyEvents) => Pty;
