/**
 * What a node says of its connections to an admin: the result of `diagnostics.get`, which every server has.
 *
 * A record is what is known of a connection that has ended; figures are of one node since its start, or of the last
 * minutes where they say so.
 */
import { z } from "zod";
import { count, deliveryFigures, durationMs } from "./common.ts";

export const connectionRecord = z.object({
  connection: z.string(),
  node: z.string(),
  /** When the upgrade was accepted, ms since 1970 on the server's clock. */
  at: z.number(),
  address: z.string(),
  /** As the client named itself; absent before `hello`. */
  client: z.string().optional(),
  /** The client's count of attempts in a row (CL-3). */
  attempt: z.number().optional(),
  /** Id and name; absent before `welcome`. */
  user: z.string().optional(),
  userName: z.string().optional(),
  role: z.string().optional(),
  /** When the steps of its opening were done, ms after the upgrade; absent: not reached. */
  phases: z.object({
    hello: durationMs.optional(),
    /** Let through the gate of openings (AD-3). */
    admitted: durationMs.optional(),
    welcomed: durationMs.optional(),
  }),
  messagesIn: count,
  bytesIn: count,
  messagesOut: count,
  bytesOut: count,
  /** Time in which the server's thread worked on its messages, ms. */
  handlingMs: z.object({ sum: z.number(), longest: z.number() }),
  /** What it was refused, by code. */
  errors: z.record(z.string(), count),
  durationMs,
  code: z.int(),
  reason: z.string(),
  /** Whether it ended as connections do: left, signed out, replaced, or sent on by a server that stops. */
  expected: z.boolean(),
  /** How its events arrived, as the client said last (ST-16). */
  figures: deliveryFigures.optional(),
});
export type ConnectionRecord = z.infer<typeof connectionRecord>;

export const diagnostics = z.object({
  node: z.string(),
  /** ms since 1970 on the server's clock. */
  now: z.number(),
  /** Open now. */
  connections: count,
  /** Events written since the start, once for each reader. */
  deliveries: count,
  /** Openings attempted a client in the last minute: 1 is a calm day. */
  stormFactor: z.number(),
  /** Openings that came before their time (AD-3). */
  retriesIgnored: count,
  /** How large the store is and what retention has removed since the start, as of its last round; absent before the first. */
  store: z
    .object({
      /** Data of all events, and what the database takes with what is free in it. */
      eventBytes: count,
      diskBytes: count,
      removedEvents: count,
      /** More is kept than the limit, and none of it may go. */
      isFull: z.boolean(),
    })
    .optional(),
  degraded: z.object({ reason: z.string(), since: z.number() }).optional(),
  /** Of the connections that ended lately. */
  lately: z.object({
    withinMs: durationMs,
    ended: count,
    /** Unexpectedly, within a minute of their beginning. */
    short: count,
    notWelcomed: count,
    codes: z.record(z.string(), count),
    duplicatesSuppressed: count,
    gapsRepaired: count,
  }),
  /** What is wrong now, the worst first, each in one sentence. */
  problems: z.array(z.string()),
  /** The newest first. */
  records: z.array(connectionRecord),
});
export type Diagnostics = z.infer<typeof diagnostics>;
