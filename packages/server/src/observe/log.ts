/**
 * The log as the rooms see it: one function a level, an event name, and fields.
 *
 * Rooms never format text: `log.info("connection.opened", { connection })`. The shell that creates the
 * server passes an implementation (pino in production, a collector in tests).
 */
import type { LogLevels } from "./logLevels.ts";

export interface Log {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** `fields.error` is a real Error; the implementation writes name, message, code, stack and causes. */
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Which records are written, to be changed while it runs; absent where that is not for the server to say. */
  readonly levels?: LogLevels;
}
