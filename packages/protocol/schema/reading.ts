/**
 * Reading streams (section 5): subscriptions, snapshots, events, acknowledgements, signals.
 *
 * What a client only compares or hands on is a text without bounds: the bounds are the server's to keep.
 */
import { z } from "zod";
import { count, epoch, errorBody, name, positive, shortText, timeMs } from "./common.ts";
import { subscription } from "./opening.ts";

/** ST-2: asks for a stream from a cursor; the newest `sub` of a stream replaces the older. */
export const subscribe = subscription.extend({ type: z.literal("subscribe") });
/** ST-2: idempotent. */
export const unsubscribe = z.object({ type: z.literal("unsubscribe"), stream: name });

/** ST-3: the next event is `offset + 1`; `snapshot` announces so many parts, which come first. */
export const subscribed = z.object({
  type: z.literal("subscribed"),
  stream: z.string(),
  sub: count,
  epoch: z.string(),
  offset: count,
  head: count,
  reset: z.enum(["epoch", "trimmed"]).optional(),
  lost: count.optional(),
  snapshot: positive.optional(),
});
export type Subscribed = z.infer<typeof subscribed>;

/** ST-3: part 1…n; arrays of later parts are appended to those before. */
export const snapshot = z.object({
  type: z.literal("snapshot"),
  stream: z.string(),
  sub: count,
  part: positive,
  data: z.record(z.string(), z.unknown()),
});
export type Snapshot = z.infer<typeof snapshot>;

/** ST-4: one event without its own `offset` follows the `through` (else the offset) of the one before. */
export const streamEvent = z.object({
  event: z.string(),
  at: timeMs,
  data: z.unknown(),
  keyframe: z.string().optional(),
  offset: positive.optional(),
  through: positive.optional(),
});
export type StreamEvent = z.infer<typeof streamEvent>;

/** ST-4: a contiguous run of events, the first at `offset`. */
export const events = z.object({
  type: z.literal("events"),
  stream: z.string(),
  offset: positive,
  head: positive,
  events: z.array(streamEvent),
});
export type Events = z.infer<typeof events>;

/** ST-7, ST-8: the answer (or the next events) will come by itself. */
export const pending = z.object({
  type: z.literal("pending"),
  stream: z.string(),
  sub: count,
  reason: z.string(),
  ref: z.string().optional(),
});
export type Pending = z.infer<typeof pending>;

/** ST-16: an agent's acknowledgement of its inbox, cumulative. */
export const ack = z.object({ type: z.literal("ack"), stream: name, epoch, offset: count });

/** ST-17: ephemeral, both ways; the server sets `from`. */
export const signal = z.object({
  type: z.literal("signal"),
  stream: name,
  signal: z.string().min(1).max(40),
  data: z.unknown().optional(),
  from: shortText.optional(),
});
export type Signal = z.infer<typeof signal>;

/** ST-17: the same as a client hears it. */
export const heardSignal = signal.extend({ stream: z.string(), signal: z.string(), from: z.string().optional() });

/** TR-4, ST-18, PB-3: what was asked for was refused; nothing of it was recorded. */
export const refused = z.object({
  type: z.literal("refused"),
  of: z.enum(["subscribe", "publish", "signal"]),
  stream: z.string(),
  sub: count.optional(),
  producer: z.string().optional(),
  sequence: count.optional(),
  error: errorBody,
});
export type Refused = z.infer<typeof refused>;
