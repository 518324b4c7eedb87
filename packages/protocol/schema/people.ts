/**
 * People and their sessions as `user.list` and `session.list` tell them, on every server that signs people in itself.
 *
 * What an issuer calls a person besides their name is told to nobody.
 */
import { z } from "zod";
import { count, timeMs } from "./common.ts";

export const personRole = z.enum(["viewer", "operator", "admin"]);
export type PersonRole = z.infer<typeof personRole>;

export const personEntry = z.object({
  id: z.string(),
  name: z.string(),
  role: personRole,
  /** `commandLine`: the owner of the server's machine. */
  signsInBy: z.enum(["commandLine", "link", "provider"]),
  /** Whose word it is who they are: the issuer's address. */
  provider: z.string().optional(),
  /** That have not ended. */
  sessions: count,
  /** Until when a link that was made for them works, ms since 1970; absent: there is none. */
  linkExpiresAt: timeMs.optional(),
});
export type PersonEntry = z.infer<typeof personEntry>;

export const sessionEntry = z.object({
  id: z.string(),
  user: z.string(),
  /** When it was begun, and ends unless it is used: ms since 1970. */
  created: timeMs,
  expiresAt: timeMs,
  /** Whether the request came by it. */
  current: z.boolean(),
});
export type SessionEntry = z.infer<typeof sessionEntry>;
