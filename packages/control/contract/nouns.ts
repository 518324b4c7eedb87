/**
 * The nouns of the control domain as they travel: agents, threads, commands, terminals.
 *
 * The shapes here are what `agent.list`, snapshots and the `fleet` and `threads` streams carry. An agent
 * or thread in an event is always the whole of it, so that folding the same event twice changes nothing.
 */
import { z } from "zod";

export const id = z.string().min(1).max(64);
export const timeMs = z.int().min(0);
/** Bytes as they travel (TR-7), padded: what passes here can be decoded. */
export const base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, "expected base64")
  .refine((text) => text.length % 4 === 0, { error: "expected base64 with its padding" });

/** How an agent executes (CONTROL.md): a process a command, one interactive program, or something of its own. */
export const agentKind = z.enum(["shell", "terminal", "acp", "assistant", "custom"]);
export type AgentKind = z.infer<typeof agentKind>;

/** From the live connection, never from a row's age (F51). */
export const agentStatus = z.enum(["online", "reconnecting", "offline"]);
export type AgentStatus = z.infer<typeof agentStatus>;
export const agentActivity = z.enum(["idle", "working", "waiting"]);
export type AgentActivity = z.infer<typeof agentActivity>;

export const agent = z.object({
  id,
  name: z.string(),
  kind: agentKind,
  host: z.string(),
  capabilities: z.array(z.string()),
  status: agentStatus,
  activity: agentActivity,
  /** The command under way, if any. */
  command: id.nullable(),
  /** Its text, shortened to 200 characters: the live line of the fleet. */
  commandText: z.string().nullable(),
  /** Commands waiting for this agent, the one under way not counted. */
  queued: z.int().min(0),
  generation: z.int().min(1),
  createdAt: timeMs,
  /** Since when `status` is what it is. */
  statusAt: timeMs,
});
export type Agent = z.infer<typeof agent>;

/** `work`: commands. `terminal`: one interactive terminal, opened with the thread. */
export const threadKind = z.enum(["work", "terminal"]);
export type ThreadKind = z.infer<typeof threadKind>;

export const thread = z.object({
  id,
  agent: id,
  kind: threadKind,
  title: z.string(),
  createdAt: timeMs,
  createdBy: z.string(),
  /** When the last command was sent or ended. */
  activeAt: timeMs,
  /** Since when it is out of the list; absent while it is in it. */
  archivedAt: timeMs.optional(),
});
export type Thread = z.infer<typeof thread>;

export const commandState = z.enum(["queued", "dispatched", "started", "finished"]);
export type CommandState = z.infer<typeof commandState>;
export const commandOutcome = z.enum(["completed", "failed", "interrupted", "expired", "lost"]);
export type CommandOutcome = z.infer<typeof commandOutcome>;
export const commandPriority = z.enum(["high", "normal", "low"]);
export type CommandPriority = z.infer<typeof commandPriority>;

/** Tokens as the model's own account of them. */
export const usage = z.object({ inputTokens: z.int().min(0), outputTokens: z.int().min(0) });
export type Usage = z.infer<typeof usage>;

export const command = z.object({
  id,
  thread: id,
  agent: id,
  text: z.string(),
  state: commandState,
  priority: commandPriority,
  outcome: commandOutcome.nullable(),
  reason: z.string().nullable(),
  exitCode: z.int().nullable(),
  sentBy: z.string(),
  queuedAt: timeMs,
  dispatchedAt: timeMs.nullable(),
  startedAt: timeMs.nullable(),
  finishedAt: timeMs.nullable(),
  durationMs: z.int().min(0).nullable(),
  expiresAt: timeMs.nullable(),
  usage: usage.optional(),
  /** The command that this one repeats (`command.retry`). */
  retryOf: id.optional(),
});
export type Command = z.infer<typeof command>;

/** A command and what was said because of it; an unfinished message with its text so far. */
export const exchange = z.object({
  command,
  messages: z.array(z.object({ id, state: z.enum(["started", "finished"]), text: z.string() })),
});
export type Exchange = z.infer<typeof exchange>;

/** A chat assistant as admins configure it. Its key travels in one direction only. */
export const assistant = z.object({
  id,
  name: z.string(),
  /** The base URL of what speaks like OpenAI's chat completions. */
  endpoint: z.string(),
  model: z.string(),
  systemPrompt: z.string(),
  hasKey: z.boolean(),
  createdAt: timeMs,
  changedAt: timeMs,
});
export type Assistant = z.infer<typeof assistant>;

/** Where a text was found: in a command, or in a message of one. */
export const found = z.object({
  command: id,
  message: id.nullable(),
  /** Some words around it. */
  excerpt: z.string(),
  at: timeMs,
});
export type Found = z.infer<typeof found>;
