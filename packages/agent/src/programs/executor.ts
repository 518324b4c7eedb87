/** What an agent of one kind does with its orders, and what it may ask of the server. One implementation a kind. */
import type { ControlMethods } from "@holdfast/control/contract";
import type { ClaimedCommand } from "../commands.ts";
import type { ScreenSize } from "../screen/screen.ts";
import type { Screens, Thread } from "../threads/threads.ts";

export interface Executor extends Screens {
  /** Claims for display (OP-6). */
  readonly capabilities: readonly string[];
  /** Executes a claimed command and calls its `finish` once. */
  run(command: ClaimedCommand): void;
  /** Commands under way at once, of different threads; one where absent. */
  readonly concurrency?: number;
  /** A person wants this running command to stop: politely at once, by force within 10 s. It finishes as `interrupted`. */
  interrupt(command: string): void;
  openTerminal(thread: Thread, size: ScreenSize): void;
  input(thread: Thread, bytes: Uint8Array): void;
  resize(thread: Thread, size: ScreenSize): void;
  /** Ends all programs politely, then by force; a command under way finishes as `interrupted`. Resolves within `endMsMax`. */
  stop(): Promise<void>;
}

/** The server, as an executor may use it: over the agent's own session. */
export interface Office {
  /** Calls a method that is open to agents. Rejects with a `ProtocolError`. */
  call<Name extends keyof ControlMethods & string>(
    method: Name,
    params: ControlMethods[Name]["params"],
  ): Promise<ControlMethods[Name]["result"]>;
  /** Tells whoever reads the thread now; worth nothing a second later (ST-17). */
  signal(thread: string, signal: "typing", data: unknown): void;
}
