/** Liveness and the end (sections 7 and 8): `ping`, `pong`, `leave`, `bye`, `error`. */
import { z } from "zod";
import { count, deliveryFigures, durationMs, errorBody } from "./common.ts";

/** LV-1. `degraded` while the store is not there (OP-3): its absence ends what `welcome` said. */
export const ping = z.object({
  type: z.literal("ping"),
  n: count,
  visible: z.boolean(),
  /** ST-16: once a minute. */
  statistics: deliveryFigures.optional(),
});
export const pong = z.object({
  type: z.literal("pong"),
  n: count,
  spread: durationMs.optional(),
  degraded: z.literal(true).optional(),
});
/** CL-8: the client goes for good. */
export const leave = z.object({ type: z.literal("leave") });
/** CL-1: always before the close frame with the same code. */
export const bye = z.object({
  type: z.literal("bye"),
  code: z.int(),
  reason: z.string(),
  reconnect: z.boolean(),
  retryAfter: z.number().optional(),
  slot: z.string().optional(),
});
export type Bye = z.infer<typeof bye>;
/** TR-4: something could not be judged, and has no better answer. */
export const error = z.object({ type: z.literal("error") }).extend(errorBody.shape);
