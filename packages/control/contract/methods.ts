/**
 * Every method of the control domain, declared once: params, result, role, kind, errors, one sentence.
 *
 * The server's registry, the client's typed `call` and the documentation come from this table. A method
 * without a handler, or a handler without a declaration, does not compile.
 */
import type { Role } from "@holdfast/protocol";
import { z } from "zod";
import { assistantMethods } from "./assistantMethods.ts";
import { agent, base64, commandPriority, exchange, found, id, thread, threadKind, timeMs } from "./nouns.ts";

const page = { limit: z.int().min(1).max(200).default(200), next: z.string().max(1_000).optional() };

export interface MethodDeclaration {
  readonly params: z.ZodType;
  readonly result: z.ZodType;
  /** The least role that may call it. */
  readonly role: Exclude<Role, "agent">;
  /** `read`: not stored, a repeat runs again. `effect`: at most once, its answer is stored (RQ-1). */
  readonly kind: "read" | "effect";
  /** The answer means accepted and durable, and the outcome is told by events: 202 over HTTP. */
  readonly accepts?: true;
  /** Agents may call it too: about themselves, which its handler sees to. */
  readonly agents?: true;
  readonly doc: string;
  /** Done to somebody else's rights, secrets or work: it stands in the stream `audit`. */
  readonly audited?: {
    /** What it is done to, and the field of the params or the result that names it. */
    readonly object: { readonly type: string; readonly id: string };
    /** Fields that are told with their values: no secret, and nothing that somebody has written. */
    readonly told?: readonly string[];
  };
}

export const methods = {
  ...assistantMethods,
  "agent.list": {
    params: z.object(page),
    result: z.object({ items: z.array(agent), next: z.string().optional() }),
    role: "viewer",
    kind: "read",
    doc: "All agents of the workspace, by name.",
  },
  "agent.get": {
    params: z.object({ agent: id }),
    result: z.object({ agent, removedAt: timeMs.optional() }),
    role: "viewer",
    kind: "read",
    doc: "One agent; also one that was removed, as it last was, with `removedAt`.",
  },
  "agent.remove": {
    params: z.object({ agent: id }),
    result: z.object({}),
    role: "admin",
    kind: "effect",
    audited: { object: { type: "agent", id: "agent" } },
    doc: "Takes an offline agent out of the fleet for good: what waits for it ends, its threads stay. A process that comes back for it is a new agent, where its key may enrol one. `conflict` while it is not offline.",
  },
  "thread.list": {
    params: z.object({ ...page, agent: id.optional(), archived: z.boolean().default(false) }),
    result: z.object({ items: z.array(thread), next: z.string().optional() }),
    role: "viewer",
    kind: "read",
    doc: "Threads, the most recently active first: those that are not archived, or with `archived` those that are.",
  },
  "thread.create": {
    params: z.object({
      agent: id,
      kind: threadKind.default("work"),
      title: z.string().max(200).optional(),
      cols: z.int().min(1).max(1_000).default(80),
      rows: z.int().min(1).max(1_000).default(24),
    }),
    result: z.object({ thread }),
    role: "operator",
    kind: "effect",
    doc: "Starts a piece of work with one agent; kind `terminal` opens an interactive terminal of a shell agent.",
  },
  "thread.get": {
    params: z.object({ thread: id }),
    result: z.object({ thread }),
    role: "viewer",
    kind: "read",
    doc: "One thread.",
  },
  "thread.rename": {
    params: z.object({ thread: id, title: z.string().max(200) }),
    result: z.object({ thread }),
    role: "operator",
    kind: "effect",
    doc: "Gives a thread another title.",
  },
  "thread.archive": {
    params: z.object({ thread: id, archived: z.boolean().default(true) }),
    result: z.object({ thread }),
    role: "operator",
    kind: "effect",
    audited: { object: { type: "thread", id: "thread" }, told: ["archived"] },
    doc: "Takes a thread out of the list, or with `archived: false` back into it; nothing of it is lost, and a command that is sent in it brings it back. `conflict` while something in it is unfinished.",
  },
  "thread.search": {
    params: z.object({
      thread: id,
      text: z.string().trim().min(1).max(200),
      before: id.optional(),
      limit: z.int().min(1).max(200).default(50),
    }),
    result: z.object({ items: z.array(found), next: id.optional() }),
    role: "viewer",
    kind: "read",
    doc: "Commands and messages of a thread that hold this text, whatever the case, newest first. `next` is the `before` with which to look on, also where a page has found nothing.",
  },
  "thread.markRead": {
    params: z.object({ thread: id, at: z.int().min(0) }),
    result: z.object({ readAt: z.int().min(0) }),
    role: "viewer",
    kind: "effect",
    doc: "The caller has seen all of a thread up to `at`, a time of the server's clock; a mark never goes back. Told to the caller's other devices by the stream `reads/<user>`.",
  },
  "thread.read": {
    params: z
      .object({
        thread: id,
        before: id.optional(),
        after: id.optional(),
        around: id.optional(),
        limit: z.int().min(1).max(200).default(50),
      })
      .refine(({ before, after, around }) => [before, after, around].filter((one) => one !== undefined).length <= 1, {
        error: "give one of `before`, `after` and `around`",
        path: ["before"],
      }),
    result: z.object({ items: z.array(exchange), next: id.optional(), later: id.optional() }),
    role: "viewer",
    kind: "read",
    agents: true,
    doc: "What was said in a thread, by pages: commands with their messages, oldest first, sent before the command `before`, after `after`, or on both sides of `around` and with it. `next` is the `before` of the page before this one, `later` the `after` of the one behind it.",
  },
  "command.send": {
    params: z
      .object({
        thread: id.optional(),
        agent: id.optional(),
        text: z.string().min(1).max(100_000),
        priority: commandPriority.default("normal"),
        expiresIn: z
          .int()
          .min(0)
          .max(30 * 86_400_000)
          .optional(),
      })
      .refine((params) => (params.thread === undefined) !== (params.agent === undefined), {
        error: "give either `thread` or `agent`",
        path: ["thread"],
      }),
    result: z.object({ command: id, thread: id, position: z.int().min(0) }),
    role: "operator",
    kind: "effect",
    accepts: true,
    doc: "Queues one instruction. The answer means accepted and durable; dispatched, started and finished are events of the thread.",
  },
  "command.interrupt": {
    params: z.object({ command: id }),
    result: z.object({}),
    role: "operator",
    kind: "effect",
    accepts: true,
    audited: { object: { type: "command", id: "command" } },
    doc: "Stops a command: one that waits ends at once, a running one is asked and then made to. Its end is an event of the thread; what it wrote is kept.",
  },
  "command.cancel": {
    params: z.object({ command: id }),
    result: z.object({}),
    role: "operator",
    kind: "effect",
    audited: { object: { type: "command", id: "command" } },
    doc: "Takes back a command that has not begun: it ends as `interrupted`, and its agent never runs it. `conflict` where it has begun, or ended otherwise.",
  },
  "command.retry": {
    params: z.object({ command: id }),
    result: z.object({ command: id, thread: id, position: z.int().min(0) }),
    role: "operator",
    kind: "effect",
    accepts: true,
    audited: { object: { type: "command", id: "command" } },
    doc: "Sends an ended command once more: a new command of the same text in the same thread, which names the old.",
  },
  "terminal.write": {
    params: z.object({ thread: id, terminal: id, data: base64.max(64_000) }),
    result: z.object({}),
    role: "operator",
    kind: "effect",
    doc: "Types bytes into a terminal.",
  },
  "terminal.resize": {
    params: z.object({ thread: id, terminal: id, cols: z.int().min(1).max(1_000), rows: z.int().min(1).max(1_000) }),
    result: z.object({}),
    role: "operator",
    kind: "effect",
    doc: "Sets a terminal's size.",
  },
} as const satisfies Record<string, MethodDeclaration>;

export type MethodName = keyof typeof methods;
/** What a caller passes, and what it gets, for the typed `call` of a session. */
export type ControlMethods = {
  [Name in MethodName]: {
    params: z.input<(typeof methods)[Name]["params"]>;
    result: z.output<(typeof methods)[Name]["result"]>;
  };
};
/** What a handler gets after validation. */
export type MethodParams<Name extends MethodName> = z.output<(typeof methods)[Name]["params"]>;
export type MethodResult<Name extends MethodName> = z.output<(typeof methods)[Name]["result"]>;
