/**
 * The events of each stream of the control domain, by name (CONTROL.md "Streams").
 *
 * `thread/<id>` holds all of one piece of work in one order; its agent publishes the ones in
 * {@link agentEvents}, the server appends the others. `inbox/<agent>` is what an agent obeys.
 */
import { z } from "zod";
import { agent, assistant, base64, command, commandOutcome, id, thread, usage } from "./nouns.ts";

const size = { cols: z.int().min(1).max(1_000), rows: z.int().min(1).max(1_000) };

/** Published by a thread's agent. Every start has one end; nothing of a command follows its `finished`. */
export const agentEvents = {
  "command.started": z.object({ command: id }),
  "command.progress": z.object({ command: id, text: z.string().max(2_000) }),
  "command.finished": z.object({
    command: id,
    outcome: commandOutcome,
    reason: z.string().max(2_000).optional(),
    exitCode: z.int().optional(),
    /** `true` where the end was inferred from quiet, not reported by the program. */
    inferred: z.boolean().optional(),
    durationMs: z.int().min(0),
    /** What a model was given and gave, where one worked and counted. */
    usage: usage.optional(),
  }),
  "message.started": z.object({ command: id, message: id }),
  "text.delta": z.object({ command: id, message: id, text: z.string() }),
  "message.finished": z.object({ command: id, message: id, text: z.string() }),
  /** Raw bytes of a pty, exactly. */
  "terminal.output": z.object({ command: id.optional(), terminal: id, data: base64 }),
  /** Keyframe `terminal/<terminal>`: replaces the output before it in this terminal. `data`: bytes that draw it. */
  "terminal.screen": z.object({ terminal: id, ...size, data: base64 }),
  "terminal.resized": z.object({ terminal: id, ...size }),
  /** The interactive program of a terminal ended; nothing of this terminal follows until it is opened again. */
  "terminal.closed": z.object({ terminal: id, exitCode: z.int().optional(), reason: z.string().max(2_000).optional() }),
  note: z.object({ text: z.string().max(2_000), command: id.optional() }),
} as const;
export type AgentEventName = keyof typeof agentEvents;
export type AgentEventData = { [Name in AgentEventName]: z.infer<(typeof agentEvents)[Name]> };

/** Appended to a thread by the server. */
export const threadServerEvents = {
  "command.queued": z.object({
    command: id,
    text: z.string(),
    position: z.int().min(0),
    sentBy: z.string(),
    value: command,
  }),
  "command.dispatched": z.object({ command: id }),
  "command.finished": agentEvents["command.finished"],
  /** The agent's process that held the terminal is gone. */
  "terminal.closed": agentEvents["terminal.closed"],
  note: agentEvents.note,
} as const;
export type ThreadServerEventData = {
  [Name in keyof typeof threadServerEvents]: z.infer<(typeof threadServerEvents)[Name]>;
};

export const fleetEvents = {
  "agent.registered": z.object({ agent }),
  "agent.changed": z.object({ agent }),
  "agent.removed": z.object({ agent: id }),
} as const;
export type FleetEventData = { [Name in keyof typeof fleetEvents]: z.infer<(typeof fleetEvents)[Name]> };

export const threadsEvents = {
  "thread.created": z.object({ thread }),
  "thread.changed": z.object({ thread }),
  /** It is out of the list; a `thread.changed` without `archivedAt` brings it back. */
  "thread.archived": z.object({ thread }),
} as const;
export type ThreadsEventData = { [Name in keyof typeof threadsEvents]: z.infer<(typeof threadsEvents)[Name]> };

/** What somebody has read, for their own devices. */
export const readsEvents = {
  "thread.marked": z.object({ thread: id, readAt: z.int().min(0) }),
} as const;
export type ReadsEventData = { [Name in keyof typeof readsEvents]: z.infer<(typeof readsEvents)[Name]> };

/** Which assistants there are; for admins, and for the server's own process. */
export const assistantsEvents = {
  "assistant.changed": z.object({ assistant }),
  "assistant.removed": z.object({ assistant: id }),
} as const;
export type AssistantsEventData = { [Name in keyof typeof assistantsEvents]: z.infer<(typeof assistantsEvents)[Name]> };

/** What an agent obeys. `generation`: only the process of that generation does; others ignore it (OP-8). */
export const inboxEvents = {
  "command.dispatched": z.object({ command: id, thread: id, text: z.string(), request: z.string().nullable() }),
  /** A person wants it to stop; harmless for one that has ended. */
  "command.interrupted": z.object({ command: id, thread: id }),
  "terminal.open": z.object({ thread: id, terminal: id, generation: z.int(), ...size }),
  "terminal.input": z.object({ thread: id, terminal: id, generation: z.int(), data: base64 }),
  "terminal.resized": z.object({ thread: id, terminal: id, generation: z.int(), ...size }),
} as const;
export type InboxEventData = { [Name in keyof typeof inboxEvents]: z.infer<(typeof inboxEvents)[Name]> };

/** Snapshots (ST-9): the state exactly at the snapshot's offset. */
export interface FleetSnapshot {
  readonly agents: readonly z.infer<typeof agent>[];
}
export interface ThreadsSnapshot {
  readonly threads: readonly z.infer<typeof thread>[];
}

/** The newest marks; a thread without one was never read. */
export interface ReadsSnapshot {
  readonly reads: readonly { readonly thread: string; readonly readAt: number }[];
}
export interface AssistantsSnapshot {
  readonly assistants: readonly z.infer<typeof assistant>[];
}

/** A thread as all its events up to the snapshot's offset have made it (ST-10). */
export interface ThreadSnapshot {
  readonly thread: z.infer<typeof thread>;
  /** The newest word about the thread itself. */
  readonly note: string | null;
  /** Every command that has not ended and the newest of the others, in the order in which they were sent. */
  readonly commands: readonly ThreadSnapshotCommand[];
  /** The newest, in the order in which they were started. */
  readonly messages: readonly ThreadSnapshotMessage[];
  readonly terminals: readonly ThreadSnapshotTerminal[];
  /** What is drawn on the terminals: all of a short log, else their newest keyframes and what follows, in the order of the log. */
  readonly drawing: readonly DrawingEvent[];
}

export interface ThreadSnapshotCommand extends z.infer<typeof command> {
  readonly progress: string | null;
  readonly inferred: boolean;
}

export interface ThreadSnapshotMessage {
  readonly id: string;
  readonly command: string;
  readonly state: "started" | "finished";
  /** Of an unfinished one its text so far; of one that retention took, nothing. */
  readonly text: string;
}

export interface ThreadSnapshotTerminal {
  readonly terminal: string;
  readonly cols: number;
  readonly rows: number;
  /** `drawing` is not all that was ever drawn: it begins with the screen as it was, or amid its output. */
  readonly earlier: boolean;
}

/** An event of the log; `through`: the last offset that it covers, where several were joined. */
export interface DrawingEvent {
  readonly offset: number;
  readonly through: number;
  readonly at: number;
  readonly event: string;
  readonly data: unknown;
}
