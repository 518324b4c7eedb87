/** Writing (section 6): requests with stored answers, publishes with producer sequences. */
import { z } from "zod";
import { count, errorBody, name, positive, shortText, timeMs, uuid } from "./common.ts";

/** RQ-1: `id` is a UUIDv7 and the idempotency key; `deadline` is in server time. */
export const request = z.object({
  type: z.literal("request"),
  id: uuid,
  method: name,
  params: z.record(z.string(), z.unknown()).default({}),
  after: uuid.optional(),
  deadline: timeMs.optional(),
});
export type Request = z.infer<typeof request>;

/** RQ-1: exactly one of `result` and `error`. */
export const response = z.object({
  type: z.literal("response"),
  id: z.string(),
  result: z.unknown().optional(),
  error: errorBody.optional(),
});
export type Response = z.infer<typeof response>;

/** PB-1: one event as its producer sends it. Judged alone, after the envelope (TR-6, PB-2). */
export const publishedEvent = z.object({ event: name, data: z.unknown(), keyframe: shortText.min(1).optional() });
export type PublishedEvent = z.infer<typeof publishedEvent>;

/** PB-1: `sequence` names the batch's first event; empty `events` asks for the record. */
export const publish = z.object({
  type: z.literal("publish"),
  stream: name,
  producer: uuid,
  sequence: count,
  events: z.array(z.unknown()).max(10_000),
});
export type Publish = z.infer<typeof publish>;

/** PB-2: all up to `sequence` is decided and durable; poison is named, never blocks. */
export const published = z.object({
  type: z.literal("published"),
  stream: z.string(),
  producer: uuid,
  sequence: count,
  rejected: z.array(z.object({ sequence: positive, error: errorBody })).optional(),
});
export type Published = z.infer<typeof published>;
