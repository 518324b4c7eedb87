/**
 * An entry of the audit, as `audit.search` answers it on every server: who has done what, when, from where.
 *
 * `about` has values that the method's declaration names, `given` the names of what else was asked for. A reader must
 * take any text in it for somebody else's.
 */
import { z } from "zod";
import { count, timeMs } from "./common.ts";

export const auditEntry = z.object({
  /** Its place in the stream `audit`. */
  offset: count,
  /** ms since 1970 on the server's clock. */
  at: timeMs,
  by: z.object({ id: z.string(), name: z.string(), role: z.string() }),
  /** The method. */
  action: z.string(),
  /** What it was done to. */
  object: z.object({ type: z.string(), id: z.string() }).optional(),
  about: z.record(z.string(), z.unknown()),
  given: z.array(z.string()).optional(),
  /** Absent where a part of the server itself asked. */
  from: z.object({ address: z.string(), connection: z.string().optional() }).optional(),
  /** It was not done: the code of the refusal. */
  refused: z.string().optional(),
});
export type AuditEntry = z.infer<typeof auditEntry>;
