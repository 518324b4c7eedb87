/**
 * The words that several messages share.
 *
 * Schemas are strict about what they name and silent about what they do not: an unknown field is
 * stripped (TR-5), a wrong one fails the whole message before anything is done (TR-6).
 */
import { z } from "zod";
import type { ErrorCode } from "../src/errors.ts";
import { nameLengthMax } from "../src/limits.ts";

/** Offsets, sequences, times and durations: whole, not negative, exact in a double. */
export const count = z.int().min(0);
export const positive = z.int().min(1);
export const timeMs = z.int().min(0);
export const durationMs = z.int().min(0);
export const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, "expected a lower-case UUID");
export const shortText = z.string().max(nameLengthMax);
/** A stream's name, a method's, an event's: printable ASCII without spaces or quotes. */
export const name = z
  .string()
  .min(1)
  .max(nameLengthMax)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:@/+-]*$/, "expected letters, digits and ._:@/+-");
export const token = z.string().min(1).max(16_384);

/** ST-1: the random name of one history of a stream. */
export const epoch = z.string().min(1).max(64);
export const cursor = z.object({ epoch, offset: count });
export type Cursor = z.infer<typeof cursor>;

/** ST-2 */
export const from = z.union([cursor, z.literal("start"), z.literal("latest")]);
export type From = z.infer<typeof from>;

export const identity = z.object({ user: shortText, workspace: shortText });
export type Identity = z.infer<typeof identity>;

/**
 * ST-16: how a client's events arrived, since its session began, in its own words. `longestGapMs`: the longest time
 * without an open connection. The lags: from an event's `at` until it was shown, of the newest ones, ms.
 */
export const deliveryFigures = z.object({
  received: count,
  applied: count,
  duplicatesSuppressed: count,
  gapsRepaired: count,
  reconnects: count,
  longestGapMs: count,
  /** Messages that the client could not read, and faults that the server told it of. */
  unknownMessages: count,
  problems: count,
  displayLagP50Ms: count.optional(),
  displayLagP99Ms: count.optional(),
});
export type DeliveryFigures = z.infer<typeof deliveryFigures>;

/** One that the reader does not know (old client, new server) is judged by `retryable`, so any text is taken. */
const errorCode = z.string() as unknown as z.ZodType<ErrorCode>;
export const errorBody = z.object({
  code: errorCode,
  message: z.string(),
  about: z
    .object({
      type: z.string(),
      id: z.string().optional(),
      stream: z.string().optional(),
      sequence: z.int().optional(),
    })
    .optional(),
  retryable: z.boolean(),
  retryAfter: z.number().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});
