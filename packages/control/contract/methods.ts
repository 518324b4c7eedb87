/**
 * Every method of the control domain, declared once: params, result, role, kind, errors, one sentence.
 *
 * The server's registry, the client's typed `call` and the documentation come from this table. A method
 * without a handler, or a handler without a declaration, does not compile.
 */
import type { Role } from "@holdfast/protocol";
import { z } from "zod";
import { agent, base64, commandPriority, id, thread, threadKind } from "./nouns.ts";

const page = { limit: z.int().min(1).max(200).default(200), next: z.string().max(1_000).optional() };

export interface MethodDeclaration {
  readonly params: z.ZodType;
  readonly result: z.ZodType;
  /** The least role that may call it. */
  readonly role: Exclude<Role, "agent">;
  /** `read`: not stored, a repeat runs again. `effect`: at most once, its answer is stored (RQ-1). */
  readonly kind: "read" | "effect";
  readonly doc: string;
}

export const methods = {
  "agent.list": {
    params: z.object(page),
    result: z.object({ items: z.array(agent), next: z.string().optional() }),
    role: "viewer",
    kind: "read",
    doc: "All agents of the workspace, by name.",
  },
  "thread.list": {
    params: z.object({ ...page, agent: id.optional() }),
    result: z.object({ items: z.array(thread), next: z.string().optional() }),
    role: "viewer",
    kind: "read",
    doc: "Threads, the most recently active first.",
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
    doc: "Queues one instruction. The answer means accepted and durable; dispatched, started and finished are events of the thread.",
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
