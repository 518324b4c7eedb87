/**
 * What of a thread's stream is read here: the server's events, and its snapshot, field by field as they are used.
 *
 * An app of its own has no schema of the control centre, so the shapes stand here once more, without what nobody reads.
 * That they are the contract's is held by the compiler, where the page gives the contract's to these functions.
 */

export type CommandOutcome = "completed" | "failed" | "interrupted" | "expired" | "lost";

/** Event → its data, as far as it is read. */
export interface ThreadEventData {
  readonly "command.queued": {
    readonly command: string;
    readonly text: string;
    readonly sentBy: string;
    readonly value: { readonly agent: string; readonly queuedAt: number };
  };
  readonly "command.progress": { readonly command: string; readonly text: string };
  readonly "command.finished": {
    readonly command: string;
    readonly outcome: CommandOutcome;
    readonly reason?: string | undefined;
    readonly exitCode?: number | undefined;
    readonly inferred?: boolean | undefined;
    readonly durationMs: number;
  };
  readonly "message.started": { readonly command: string; readonly message: string };
  readonly "text.delta": { readonly command: string; readonly message: string; readonly text: string };
  readonly "message.finished": { readonly command: string; readonly message: string; readonly text: string };
  readonly "terminal.resized": { readonly cols: number; readonly rows: number };
  readonly "terminal.closed": { readonly exitCode?: number | undefined; readonly reason?: string | undefined };
  readonly note: { readonly text: string };
}

/** A thread as its snapshot tells it (ST-9). */
export interface ThreadSnapshot {
  readonly thread: { readonly agent: string };
  readonly note: string | null;
  readonly commands: readonly SnapshotCommand[];
  readonly messages: readonly {
    readonly id: string;
    readonly command: string;
    readonly state: "started" | "finished";
    readonly text: string;
  }[];
  readonly terminals: readonly { readonly cols: number; readonly rows: number }[];
}

export interface SnapshotCommand {
  readonly id: string;
  readonly text: string;
  readonly sentBy: string;
  readonly state: "queued" | "dispatched" | "started" | "finished";
  readonly outcome: CommandOutcome | null;
  readonly reason: string | null;
  readonly exitCode: number | null;
  readonly inferred: boolean;
  readonly durationMs: number | null;
  readonly queuedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly progress: string | null;
}

/** A command and what was said because of it, as a page of older ones has it. */
export interface OlderExchange {
  readonly command: Omit<SnapshotCommand, "progress" | "inferred">;
  readonly messages: readonly { readonly id: string; readonly state: "started" | "finished"; readonly text: string }[];
}

/** The methods of the control centre that a conversation calls. */
export interface ThreadMethods {
  readonly "thread.read": {
    readonly params: { readonly thread: string; readonly before: string; readonly limit: number };
    readonly result: { readonly items: readonly OlderExchange[]; readonly next?: string | undefined };
  };
  readonly "command.send": {
    readonly params: { readonly thread: string; readonly text: string };
    readonly result: { readonly command: string; readonly thread: string };
  };
  readonly "command.interrupt": { readonly params: { readonly command: string }; readonly result: object };
  readonly "command.retry": {
    readonly params: { readonly command: string };
    readonly result: { readonly command: string; readonly thread: string };
  };
  readonly "thread.markRead": {
    readonly params: { readonly thread: string; readonly at: number };
    readonly result: { readonly readAt: number };
  };
}

/** The stream of a thread, and that of what somebody has read. */
export const threadStream = (thread: string): string => `thread/${thread}`;
export const readsStream = (user: string): string => `reads/${user}`;
