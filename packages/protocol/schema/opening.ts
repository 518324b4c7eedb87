/**
 * Opening a connection: `hello` from the client, `welcome` from the server (section 4), and the
 * in-session `auth` of section 3.
 */
import { z } from "zod";
import {
  count,
  cursor,
  deliveryFigures,
  durationMs,
  epoch,
  from,
  identity,
  name,
  positive,
  shortText,
  timeMs,
  token,
  uuid,
} from "./common.ts";

/** ST-2, TR-7: an item of `hello.subscribe`, and the body of `subscribe`. */
export const subscription = z.object({ stream: name, sub: count, from });
export type Subscription = z.infer<typeof subscription>;

/**
 * OP-6: who says that it is an agent. `kind`, `host` and `capabilities` are claims for display, never
 * rights. `open` names every command whose `command.finished` is not yet `published`.
 */
export const helloAgent = z.object({
  id: shortText.min(1).optional(),
  name: z.string().min(1).max(100),
  kind: z.string().min(1).max(40),
  host: z.string().max(200),
  capabilities: z.array(z.string().max(100)).max(100),
  process: uuid,
  inbox: cursor.optional(),
  open: z.array(shortText).max(1_000),
});
export type HelloAgent = z.infer<typeof helloAgent>;

/** OP-2: the first message of a client, and the only one before `welcome`. */
export const hello = z.object({
  type: z.literal("hello"),
  protocol: z.int(),
  instance: uuid,
  attempt: count,
  client: z.object({ name: shortText, version: shortText }),
  visible: z.boolean(),
  lastClose: z
    .object({ code: z.int(), reason: z.string().max(500), uptime: durationMs, statistics: deliveryFigures.optional() })
    .optional(),
  token: token.optional(),
  expect: identity.optional(),
  slot: z.string().max(1_000).optional(),
  subscribe: z.array(subscription).max(1_000).optional(),
  agent: helloAgent.optional(),
});
export type Hello = z.infer<typeof hello>;

/** OP-7: the identity of an agent's connection; `generation` fences older processes. */
export const agentIdentity = z.object({ id: z.string(), name: z.string(), generation: positive });
export type AgentIdentity = z.infer<typeof agentIdentity>;

export const role = z.enum(["viewer", "operator", "admin", "agent"]);
export type Role = z.infer<typeof role>;

export const user = z.object({ id: z.string(), name: z.string(), role, workspace: z.string(), temporary: z.boolean() });
export type User = z.infer<typeof user>;

/** OP-3: the connection is open; the answers to `hello.subscribe` follow, in order. */
export const welcome = z.object({
  type: z.literal("welcome"),
  connection: z.string(),
  node: z.string(),
  now: timeMs,
  user,
  expiresAt: timeMs.optional(),
  heartbeat: z.object({ interval: durationMs, timeout: durationMs }),
  spread: durationMs,
  limits: z.object({
    frameBytes: count,
    eventBytes: count,
    requests: count,
    publishBytes: count,
    subscriptions: count,
  }),
  degraded: z.object({ reason: z.string(), since: timeMs }).optional(),
  features: z.record(z.string(), z.unknown()),
  agent: agentIdentity.optional(),
});
export type Welcome = z.infer<typeof welcome>;

/** OP-7: the agent's identity, told later where the store was down at `welcome`. */
export const agent = agentIdentity.extend({ type: z.literal("agent") });

/** AU-7: the client's fresh credential (none with a cookie session) … */
export const auth = z.object({ type: z.literal("auth"), token: token.optional() });
/** … the server's answer, and its warning before an end. */
export const authenticated = z.object({ type: z.literal("authenticated"), expiresAt: timeMs.optional() });
export const expiring = z.object({ type: z.literal("expiring"), in: durationMs });
export { epoch };
