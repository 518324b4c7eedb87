/** What an agent of one kind does with its orders. One implementation a kind. */
import type { ClaimedCommand } from "../commands.ts";
import type { ScreenSize } from "../screen/screen.ts";
import type { Screens, Thread } from "../threads/threads.ts";

export interface Executor extends Screens {
  /** Claims for display (OP-6). */
  readonly capabilities: readonly string[];
  /** Executes a claimed command and calls its `finish` once. */
  run(command: ClaimedCommand): void;
  openTerminal(thread: Thread, size: ScreenSize): void;
  input(thread: Thread, bytes: Uint8Array): void;
  resize(thread: Thread, size: ScreenSize): void;
  /** Ends all programs politely, then by force; a command under way finishes as `interrupted`. Resolves within `endMsMax`. */
  stop(): Promise<void>;
}
